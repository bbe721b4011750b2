# shellcheck shell=bash
#: env
#: Prints the settings as shell exports
#: stack
#| For a shell of your own:   eval "$(bin/sluice env)"
#| Settings come from the environment, then from the state folder's env/
#| (one file a setting), then from defaults. docs/operations.md lists them.
no_arguments "$@"
for name in "${!SLUICE_@}"; do
	case $name in
	SLUICE_TOP | SLUICE_OWN_DB | SLUICE_RUN | SLUICE_TEST_*) continue ;;
	esac
	printf 'export %s=%q\n' "$name" "${!name}"
done
printf 'export PATH=%q:"%s"\n' "$SLUICE_TOP/bin" "\$PATH"
