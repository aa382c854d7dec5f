# How a library is looked for: one switch, one pkg-config question, one line of the summary.

AC_DEFUN([MYNA_PKG_CONFIG], [
AC_CHECK_TOOL([PKG_CONFIG], [pkg-config], [no])
AS_IF([test "$PKG_CONFIG" = no], [AC_MSG_ERROR([pkg-config is missing (Debian package: pkg-config)])])
myna_libs_on= myna_libs_off=
LIBRARY_CFLAGS= LIBRARY_LIBS= TEST_CFLAGS= TEST_LIBS=
AC_SUBST([LIBRARY_CFLAGS]) AC_SUBST([LIBRARY_LIBS]) AC_SUBST([TEST_CFLAGS]) AC_SUBST([TEST_LIBS])
])

# MYNA_REQUIRED(name, pkg-config module, version, Debian package): what nothing works without
AC_DEFUN([MYNA_REQUIRED], [
AC_MSG_CHECKING([for $1 >= $3])
AS_IF([$PKG_CONFIG --exists "$2 >= $3"], [
  myna_version=`$PKG_CONFIG --modversion $2`
  AC_MSG_RESULT([$myna_version])
  LIBRARY_CFLAGS="$LIBRARY_CFLAGS `$PKG_CONFIG --cflags $2`"
  LIBRARY_LIBS="$LIBRARY_LIBS `$PKG_CONFIG --libs $2`"
], [
  AC_MSG_RESULT([no])
  AC_MSG_ERROR([$1 (>= $3) is needed (Debian package: $4)])
])
])

# MYNA_SONAME(-l flags): the name that the dynamic linker knows the first of them by, into myna_soname, and
# into myna_debian the package that brings it, named by Debian's policy (8.1). Empty: it is no shared library.
AC_DEFUN([MYNA_SONAME], [
AC_REQUIRE([MYNA_READELF])
for myna_name in $1; do
  AS_CASE([$myna_name], [-l*], [break])
done
myna_name=${myna_name#-l}
echo 'int conftest;' > conftest.c
myna_soname=$({ $CC -shared -fPIC -o conftest.so conftest.c -Wl,--no-as-needed $LDFLAGS $1 &&
  $READELF -d conftest.so; } 2>&AS_MESSAGE_LOG_FD |
  sed -n "s/.*(NEEDED).*\@<:@\(lib$myna_name@<:@.-@:>@.*\)\@:>@.*/\1/p")
rm -f conftest.c conftest.so
myna_debian=$(echo "$myna_soname" | tr A-Z a-z | sed -e 's/\.so\.\(@<:@0-9@:>@*\).*/-\1/' \
  -e 's/\(@<:@^0-9@:>@\)-\(@<:@0-9@:>@*\)$/\1\2/' -e 's/^libjpeg62$/&-turbo/')
])

AC_DEFUN([MYNA_READELF], [AC_CHECK_TOOL([READELF], [readelf], [readelf])])

# MYNA_LIBRARY(name, module, Debian package, purpose, need [, header, library])
# Defines CONFIG_<NAME> in config.h and substitutes CONFIG_<NAME> (y or empty) in config.mk. Header and
# library are for those that come without a pkg-config module on some systems. A library that is opened
# late (base/library.h) is not linked: its name becomes SONAME_<NAME>, its package's DEBIAN_<NAME>.
AC_DEFUN([MYNA_LIBRARY], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [do without $1: $4])], [], [enable_$1=auto])
m4_pushdef([UP], [CONFIG_]m4_toupper([$1]))
UP= myna_version=no myna_cflags= myna_link=
AC_SUBST(UP)
AC_MSG_CHECKING([for $1 ($4)])
AS_IF([test "$enable_$1" = no], [myna_version=disabled],
  [$PKG_CONFIG --exists "$2"], [
  UP=y
  myna_version=`$PKG_CONFIG --modversion "$2"`
  myna_cflags=`$PKG_CONFIG --cflags "$2"`
  myna_link=`$PKG_CONFIG --libs "$2"`
]m4_ifval([$6], [, [
  myna_saved=$LIBS LIBS="-l$7 $LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$6>]], [])], [UP=y myna_version=yes myna_link=-l$7])
  LIBS=$myna_saved
]]))
m4_if([$5], [late], [
AS_IF([test "$UP" = y], [
  MYNA_SONAME([$myna_link])
  AS_IF([test -n "$myna_soname"], [
    myna_link=
    AC_DEFINE_UNQUOTED([SONAME_]m4_toupper([$1]), ["$myna_soname"], [The name of $1 for dlopen().])
    AC_DEFINE_UNQUOTED([DEBIAN_]m4_toupper([$1]), ["$myna_debian"], [Debian's package of it.])
  ], [UP= myna_version='no shared library'])
])
])
AC_MSG_RESULT([$myna_version])
AS_IF([test "$UP" = y], [
  AC_DEFINE(UP, [1], [Define to 1 if $1 is there ($4).])
  myna_libs_on="$myna_libs_on $1"
  m4_if([$5], [tests], [
  TEST_CFLAGS="$TEST_CFLAGS $myna_cflags" TEST_LIBS="$TEST_LIBS $myna_link"], [
  LIBRARY_CFLAGS="$LIBRARY_CFLAGS $myna_cflags" LIBRARY_LIBS="$LIBRARY_LIBS $myna_link"])
], [
  AS_IF([test "$enable_$1" = yes || test "$enable_$1$5" = autocore],
    [AC_MSG_ERROR([$1 is missing: $4 (Debian package: $3; or give --disable-$1)])])
  myna_libs_off="$myna_libs_off $1"
])
m4_popdef([UP])
])

AC_DEFUN([MYNA_SUMMARY], [
cat <<SUMMARY

myna $PACKAGE_VERSION
  host            $host_cpu ($MYNA_HOST backend: ${myna_backend})
  compiler        $CC
  flags           $CFLAGS $SANITIZE
  sanitizers      ${enable_sanitize}
  prefix          $prefix
  with           $myna_libs_on
  without        ${myna_libs_off:- (nothing)}

Now run: make
SUMMARY
])
