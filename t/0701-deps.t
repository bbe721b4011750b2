#!/bin/sh
# deps.sh: quick when all is there; says what to do by hand when it may not.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
deps=$T_TOP/lib/sh/deps.sh

# A machine that has everything, one that lacks jq, and no rights on either.
mkdir fake none
cat >fake/dpkg-query <<'X'
#!/bin/sh
shift 3
for p; do test "$p" = "${LACKS-}" || echo "$p ii "; done
X
printf '#!/bin/sh\nexit 1\n' >fake/sudo
printf '#!/bin/sh\necho 1000\n' >fake/id
for p in apt-get mvn pip adduser curl; do printf '#!/bin/sh\necho "%s $*" >>"%s"\nexit 1\n' $p "$T_DIR/called" >fake/$p; done
cp fake/mvn fake/python3
chmod +x fake/*
export SLUICE_DEPS="$T_DIR/none"
with() { env PATH="$T_DIR/fake:$PATH" "$@"; }

mkdir -p full/kafka/libs full/model/all-MiniLM-L6-v2 full/pdfs full/python full/node
sh_dir=$T_TOP/lib/sh
sum() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }
sum "$sh_dir/python.txt" >full/python/.complete
sum "$sh_dir/node/package.json" "$sh_dir/node/package-lock.json" >full/node/.complete
cut -f 3 "$T_TOP/lib/sh/pdfs.tsv" | sed -n 's|.*/||; s|\.gz$||; /^[^#]/p' >names
while IFS= read -r name; do echo x >"full/pdfs/$name"; done <names
sed -n 's/^kafka=//p' "$deps" >full/kafka/libs/.complete
sed -n 's/.*model_version=//p' "$deps" >full/model/all-MiniLM-L6-v2/.complete
all() { with env SLUICE_DEPS="$T_DIR/full" "$deps" >out 2>&1; }
ok 'all is there' all
echo 'deps: everything is there' >want
same 'and that is all it says' want out

lacks() { with env SLUICE_DEPS="$T_DIR/full" LACKS=jq "$deps" >out 2>&1; }
code 100 'no rights to install' lacks
ok 'it says what it wants' grep -qx 'deps:     jq: JSON in scripts' out
ok 'and what to do by hand' grep -qx '    apt-get install -y --no-install-recommends jq' out
ok '... as whom' grep -qx 'deps: run by hand as root (su, sudo), then make deps again:' out
ok 'nothing was called' test ! -e called

demo() { with env SLUICE_DEPS="$T_DIR/full" LACKS=jq "$deps" run >out 2>&1; }
code 100 'the same for the demo' demo
ok '... names the demo' grep -qx 'deps: run by hand as root (su, sudo), then make demo again:' out

code 100 'no registry' with "$deps"
ok 'Maven was asked once' sh -c 'test "$(grep -c ^mvn called)" = 1'
# Node: Debian's packages, but not beside another that is there.
printf '#!/bin/sh\nexit 1\n' >fake/npm
printf '#!/bin/sh\nexit ${NODE_OLD-0}\n' >fake/node
chmod +x fake/npm fake/node
nodeless() { with env SLUICE_DEPS="$T_DIR/full" NODE_OLD=1 LACKS=npm "$deps" >out 2>&1; }
code 100 'a node that is too old' nodeless
ok '... is said' grep -qx 'deps:     npm: fetches what drives it' out
with_node() { with env SLUICE_DEPS="$T_DIR/full" LACKS=npm "$deps" >out 2>&1; }
ok 'none is asked for where one is' with_node
stale() { echo x >full/python/.complete; SLUICE_DEPS=$PWD/full "$sh_dir/tools.sh" -c; }
code 1 'tools of another version are not there' stale
lock() { ! grep -nE 'https?:|resolved' "$sh_dir/node/package-lock.json" "$sh_dir/node/package.json" "$sh_dir/python.txt"; }
ok 'what is pinned names no host' lock
pinned() { ! grep -E '^[a-z]' "$sh_dir/python.txt" | grep -vE '^[a-z0-9-]+==[0-9a-z.]+ \\$'; }
ok 'each Python package has a version and hashes' pinned

code 100 'a word that it does not know' "$deps" nix
done_testing
