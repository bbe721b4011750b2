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

mkdir -p full/kafka/libs full/model/all-MiniLM-L6-v2 full/pdfs
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
ok 'nothing was called' test ! -e called

code 100 'no registry' with "$deps"
ok 'Maven was asked once' sh -c 'test "$(grep -c ^mvn called)" = 1'
code 100 'a word that it does not know' "$deps" nix
done_testing
