# packages.sh - Debian packages of any suite and architecture without installing them: read by
# the fetch- scripts.  apt gets lists of its own, from the mirror that this machine uses, and
# checks Debian's signature; its own state on this machine is not touched.
#
# The script that reads this sets
#   arch   the packages' architecture
#   suite  Debian's code name
#   apt    the folder for apt's lists
#   pool   the folder for packages
# and calls die TEXT, which it defines, prepare_apt, and from_mirrors FUNCTION.
# shellcheck shell=bash disable=SC2154

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# mirrors: candidates for the archive's address, best first.
mirrors() {
    [ -z "${MYNA_MIRROR:-}" ] || { echo "$MYNA_MIRROR"; return; }
    {
        apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
            sed -n 's/^Debian //p'
        if grep -qx 'ID=debian' /etc/os-release; then
            apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages'
        fi
        sed -n 's/^ *default_mirror //p' /usr/share/debootstrap/scripts/sid
        sed -n 's/^BaseURI: //p' /usr/share/python-apt/templates/Debian.info
    } 2>/dev/null | grep -v -e security -e backports | awk '!seen[$0]++' || true
}

apt() { # PROGRAM ARGUMENT...: an apt program that sees only our lists
    local program=$1
    shift
    "$program" -c "$apt/conf" "$@"
}

prepare_apt() {
    command -v apt-get > /dev/null || die "apt-get is not there: no packages can be had"
    [ -r "$keyring" ] || die "$keyring is not there (package debian-archive-keyring)"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    : > "$apt/status"
    # hooks of the machine's own configuration are for its own lists
    cat > "$apt/conf" << END
#clear APT::Update;
#clear DPkg;
Dir::Etc::SourceList "$apt/sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::State::Status "$apt/status";
Dir::State::Extended_States "$apt/extended";
Dir::Cache "$apt/cache";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
Debug::NoLocking "true";
END
}

complaint() { # apt's first error
    grep -m 1 '^[EW]: ' "$apt/log" | cut -c 4- || echo "apt says nothing"
}

# from_mirrors FUNCTION: read the lists of each mirror until FUNCTION succeeds with one; it
# says in $why what it lacks.
from_mirrors() {
    local mirror
    why="no mirror is known (set MYNA_MIRROR)"
    while read -r mirror; do
        echo "deb [signed-by=$keyring] $mirror $suite main" > "$apt/sources"
        if ! apt apt-get -qq update > "$apt/log" 2>&1; then
            why=$(complaint)
        elif "$1"; then
            return 0
        fi
    done < <(mirrors)
    die "no package can be had for $arch: $why"
}
