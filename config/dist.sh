#!/bin/sh
# dist.sh SRCDIR NAME OUTDIR: packs the sources as NAME.tar.gz, from git where there is one.
set -e
cd "$1"
if git rev-parse --git-dir >/dev/null 2>&1; then
	git archive --format=tar.gz --prefix="$2/" -o "$3/$2.tar.gz" HEAD
else
	tar --exclude=./build --exclude=./.git --transform "s,^\.,$2," -czf "$3/$2.tar.gz" .
fi
echo "$3/$2.tar.gz"
