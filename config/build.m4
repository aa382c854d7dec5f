# What the build itself needs to know: where, for which host, with which flags.

AC_DEFUN([MYNA_OUT_OF_TREE], [
AS_IF([test "$srcdir" = . && test -f GNUmakefile],
  [AC_MSG_ERROR([build outside of the source folder: mkdir build && cd build && ../configure])])
])

# The name of the host's folder below tcg/, and whether it has a JIT.
AC_DEFUN([MYNA_HOST_CPU], [
AS_CASE([$host_cpu],
  [x86_64|amd64], [MYNA_HOST=x86_64 myna_backend=jit],
  [aarch64|arm64], [MYNA_HOST=aarch64 myna_backend=interpreter],
  [MYNA_HOST=$host_cpu myna_backend=interpreter])
AC_SUBST([MYNA_HOST])
AC_DEFINE_UNQUOTED([MYNA_HOST], ["$MYNA_HOST"], [Name of the host's CPU.])
])

AC_DEFUN([MYNA_DEBUG], [
AC_ARG_ENABLE([debug], [AS_HELP_STRING([--enable-debug], [build for a debugger: -O0, self-checks on])],
  [], [enable_debug=no])
AS_IF([test "$enable_debug" = yes], [
  AC_DEFINE([CONFIG_DEBUG], [1], [Define to 1 for costly self-checks.])
  : ${CFLAGS=-O0 -g3}
])
: ${CFLAGS=-O2 -g}
])

AC_DEFUN([MYNA_SANITIZE], [
AC_ARG_ENABLE([sanitize], [AS_HELP_STRING([--enable-sanitize=LIST],
  [build with sanitizers: address,undefined or thread])], [], [enable_sanitize=no])
AS_CASE([$enable_sanitize],
  [no], [SANITIZE=],
  [yes], [enable_sanitize=address,undefined
          SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"],
  [SANITIZE="-fsanitize=$enable_sanitize -fno-omit-frame-pointer"
   AS_CASE([$enable_sanitize],
     [*undefined*], [SANITIZE="$SANITIZE -fno-sanitize-recover=undefined"],
     [thread], [AS_IF([test "$GCC" = yes && ! $CC --version | grep -q clang],
       [SANITIZE="$SANITIZE -Wno-tsan"])])])
AS_IF([test "$enable_sanitize" != no],
  [AC_DEFINE([CONFIG_SANITIZE], [1], [Define to 1 in sanitizer builds.])])
AC_SUBST([SANITIZE])
])

# A position-independent program has some 20,000 addresses to adjust at its start. Packed, their list takes
# 8 KB instead of 500. An older libc does not know it, so it is tried by running.
AC_DEFUN([MYNA_LINKER], [
LINKER_FLAGS=
myna_saved=$LDFLAGS
LDFLAGS="$LDFLAGS -Wl,--fatal-warnings -Wl,-z,pack-relative-relocs"
AC_MSG_CHECKING([whether programs run with packed relocations])
AC_RUN_IFELSE([AC_LANG_PROGRAM([[static int x; static int *volatile p = &x;]], [[return *p;]])],
  [AC_MSG_RESULT([yes]); LINKER_FLAGS=-Wl,-z,pack-relative-relocs],
  [AC_MSG_RESULT([no])], [AC_MSG_RESULT([not tried])])
LDFLAGS=$myna_saved
AC_SUBST([LINKER_FLAGS])
])

# Flags that every supported compiler knows are plain; the rest are tried.
AC_DEFUN([MYNA_WARNINGS], [
WARNINGS="-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla"
myna_saved=$CFLAGS
for flag in -Wimplicit-fallthrough -Wformat=2; do
  CFLAGS="$myna_saved -Werror $flag"
  AC_MSG_CHECKING([whether $CC takes $flag])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); WARNINGS="$WARNINGS $flag"], [AC_MSG_RESULT([no])])
done
CFLAGS=$myna_saved
AC_SUBST([WARNINGS])
])
