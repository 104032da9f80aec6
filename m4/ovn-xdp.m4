# SPDX-License-Identifier: Apache-2.0
#
# The checks of configure.ac.  Each that fails names the package to install,
# on Debian and on Fedora.

# OVN_XDP_MISSING(WHAT, DEBIAN-PACKAGE, FEDORA-PACKAGE)
# -----------------------------------------------------
# Stop, saying which package brings WHAT.
AC_DEFUN([OVN_XDP_MISSING],
  [AC_MSG_ERROR([$1 is needed and was not found.
  Debian: apt-get install $2
  Fedora: dnf install $3])])

# OVN_XDP_PROG(VARIABLE, PROGRAM, DEBIAN-PACKAGE, FEDORA-PACKAGE)
# ---------------------------------------------------------------
# Find PROGRAM, also in the folders that only root has in its PATH.
AC_DEFUN([OVN_XDP_PROG],
  [AC_ARG_VAR([$1], [the $2 program])
   AC_PATH_PROG([$1], [$2], [], [$PATH:/usr/sbin:/sbin:/usr/local/sbin])
   AS_IF([test -z "$$1"], [OVN_XDP_MISSING([$2], [$3], [$4])])])

# OVN_XDP_LIB(PREFIX, MODULE, DEBIAN-PACKAGE, FEDORA-PACKAGE)
# -----------------------------------------------------------
# Find a library by pkg-config; sets PREFIX_CFLAGS and PREFIX_LIBS.
AC_DEFUN([OVN_XDP_LIB],
  [PKG_CHECK_MODULES([$1], [$2], [], [OVN_XDP_MISSING([$2], [$3], [$4])])])

# OVN_XDP_SYSTEMD
# ---------------
# Find libsystemd, by which the daemon tells the service manager how it is
# doing; --without-systemd does without.  Sets systemdsystemunitdir to where
# units are installed, as long as there are any, and sysusersdir and tmpfilesdir
# for the group and the folders that these need.
AC_DEFUN([OVN_XDP_SYSTEMD],
  [AC_ARG_WITH([systemd],
     [AS_HELP_STRING([--without-systemd], [tell no service manager anything])],
     [], [with_systemd=yes])
   AS_IF([test "x$with_systemd" != xno],
     [OVN_XDP_LIB([SYSTEMD], [libsystemd], [libsystemd-dev], [systemd-devel])
      AC_DEFINE([HAVE_SYSTEMD], [1], [The service manager is told.])])
   AC_ARG_WITH([systemdsystemunitdir],
     [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
                     [folder of systemd's units (default: what pkg-config
                      says of systemd, or PREFIX/lib/systemd/system)])],
     [],
     [PKG_CHECK_VAR([with_systemdsystemunitdir], [systemd],
                    [systemdsystemunitdir], [],
                    [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
     ])
   AS_IF([test "x$with_systemdsystemunitdir" = xno],
         [with_systemdsystemunitdir=])
   AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
   AC_SUBST([sysusersdir], ['${prefix}/lib/sysusers.d'])
   AC_SUBST([tmpfilesdir], ['${prefix}/lib/tmpfiles.d'])
   AM_CONDITIONAL([SYSTEMD_UNIT],
     [test "x$with_systemd" != xno && test -n "$systemdsystemunitdir"])])

# OVN_XDP_BPF
# -----------
# Sets BPF_CPPFLAGS to what clang needs to find the UAPI headers: with
# -target bpf it does not look into the folder of the host's architecture,
# where Debian keeps <asm/types.h>.
AC_DEFUN([OVN_XDP_BPF],
  [AC_MSG_CHECKING([for the UAPI headers of this architecture])
   triplet=`$CC -print-multiarch 2>/dev/null`
   BPF_CPPFLAGS=
   AS_IF([test -n "$triplet" && test -d "/usr/include/$triplet/asm"],
         [BPF_CPPFLAGS="-idirafter /usr/include/$triplet"])
   AC_MSG_RESULT([${BPF_CPPFLAGS:-no extra folder}])
   AC_SUBST([BPF_CPPFLAGS])

   AC_MSG_CHECKING([whether $CLANG compiles for BPF])
   cat >conftest.bpf.c <<'_BPF_EOF'
@%:@include <linux/bpf.h>
@%:@include <bpf/bpf_helpers.h>
SEC("xdp") int probe(struct xdp_md *ctx) { return ctx ? XDP_PASS : XDP_DROP; }
_BPF_EOF
   AS_IF([$CLANG -target bpf -mcpu=v3 -O2 -g $LIBBPF_CFLAGS $BPF_CPPFLAGS \
            -c conftest.bpf.c -o conftest.bpf.o >&AS_MESSAGE_LOG_FD 2>&1],
         [AC_MSG_RESULT([yes])],
         [AC_MSG_RESULT([no])
          OVN_XDP_MISSING([a clang with the BPF target, and the kernel's
          headers], [clang libbpf-dev linux-libc-dev],
          [clang libbpf-devel kernel-headers])])
   rm -f conftest.bpf.c conftest.bpf.o])

# OVN_XDP_ABSPATH(VARIABLE)
# -------------------------
# Make the folder named by a shell variable absolute.
AC_DEFUN([OVN_XDP_ABSPATH],
  [AS_IF([test -d "$$1"], [$1=`cd "$$1" && pwd`])])

# OVN_XDP_OVS
# -----------
# Find the Open vSwitch tree, by OVN's contract: --with-ovs-source names the
# source tree, --with-ovs-build its build folder where they differ.  The tree
# must be built: no package has the headers of its IDL library.
AC_DEFUN([OVN_XDP_OVS],
  [AC_ARG_WITH([ovs-source],
     [AS_HELP_STRING([--with-ovs-source=DIR],
                     [Open vSwitch source tree (default: SRCDIR/ovs)])],
     [OVSDIR=$withval], [OVSDIR=$srcdir/ovs])
   AC_ARG_WITH([ovs-build],
     [AS_HELP_STRING([--with-ovs-build=DIR],
                     [Open vSwitch build folder (default: its source tree)])],
     [OVSBUILDDIR=$withval], [OVSBUILDDIR=$OVSDIR])
   OVN_XDP_ABSPATH([OVSDIR])
   OVN_XDP_ABSPATH([OVSBUILDDIR])

   AC_MSG_CHECKING([for the Open vSwitch source tree])
   AS_IF([test -f "$OVSDIR/vswitchd/bridge.c"],
     [AC_MSG_RESULT([$OVSDIR])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([$OVSDIR is no Open vSwitch source tree.
  Name one with --with-ovs-source=DIR, configured and built.
  Debian: apt-get install openvswitch-source (./boot.sh build does the rest)
  Fedora: dnf download --source openvswitch])])
   AC_MSG_CHECKING([for the Open vSwitch build])
   AS_IF([test -f "$OVSBUILDDIR/config.h" &&
          test -f "$OVSBUILDDIR/lib/.libs/libopenvswitch.a"],
     [AC_MSG_RESULT([$OVSBUILDDIR])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([$OVSBUILDDIR is no built Open vSwitch.
  Run ./configure and make there, or name it with --with-ovs-build=DIR.])])
   OVSVERSION=`$SED -n 's/^@%:@define PACKAGE_VERSION "\(.*\)"$/\1/p' \
                 "$OVSBUILDDIR/config.h"`
   AC_MSG_NOTICE([Open vSwitch version is $OVSVERSION])

   OVN_XDP_OVS_LIBS
   OVN_XDP_OVS_CONFIG
   AS_IF([$GREP 'daemonize_start(bool .*, bool' "$OVSDIR/lib/daemon.h" \
            >/dev/null],
         [daemonize_start_args='true, false'], [daemonize_start_args='true'])
   AC_DEFINE_UNQUOTED([DAEMONIZE_START_ARGS], [$daemonize_start_args],
     [Arguments of daemonize_start(); OVS 3.3 added the second.])
   AC_DEFINE_UNQUOTED([OVS_VERSION], ["$OVSVERSION"],
                      [Version of the Open vSwitch library in use.])
   AC_SUBST([OVSDIR])
   AC_SUBST([OVSBUILDDIR])
   AC_SUBST([OVSVERSION])])

# OVN_XDP_OVS_LIBS
# ----------------
# Sets OVS_LIBS to what libopenvswitch.a needs, as its own build wrote it
# down.  A dependency that is a libtool library of that tree becomes its
# archive, looked up in the tree as it is now: it may have been moved since.
AC_DEFUN([OVN_XDP_OVS_LIBS],
  [AC_MSG_CHECKING([for the libraries that Open vSwitch needs])
   ovs_la=$OVSBUILDDIR/lib/libopenvswitch.la
   ovs_deps=`$SED -n "s/^dependency_libs='\(.*\)'$/\1/p" "$ovs_la"`
   OVS_LIBS=
   for dep in $ovs_deps; do
     case $dep in @%:@(
       *.la)
         dep=${dep@%:@@%:@*/}
         dep=$OVSBUILDDIR/lib/.libs/${dep%.la}.a
         AS_IF([test -f "$dep"], [],
               [AC_MSG_ERROR([$ovs_la needs $dep, which is missing])]) ;;
     esac
     OVS_LIBS="$OVS_LIBS $dep"
   done
   OVS_LIBS="$OVS_LIBS -lpthread"
   AC_MSG_RESULT([$OVS_LIBS])
   AC_SUBST([OVS_LIBS])])

# OVN_XDP_OVS_CONFIG
# ------------------
# Have the headers of Open vSwitch see what its library was compiled with:
# config.h includes ovs-config.h, which is its config.h without the names.
AC_DEFUN([OVN_XDP_OVS_CONFIG],
  [AH_TOP([/* What the Open vSwitch library was compiled with. */
@%:@include "ovs-config.h"
])
   AC_CONFIG_COMMANDS([ovs-config.h],
     [$SED '/^@%:@define \(PACKAGE\|VERSION\|LT_OBJDIR\)/d' \
        "$OVSBUILDDIR/config.h" >ovs-config.h.tmp
      AS_IF([cmp -s ovs-config.h.tmp ovs-config.h],
            [rm -f ovs-config.h.tmp],
            [mv -f ovs-config.h.tmp ovs-config.h])],
     [SED='$SED' OVSBUILDDIR='$OVSBUILDDIR'])])

# OVN_XDP_DIRS
# ------------
# The run-time folders of OVN and Open vSwitch, of which ovn-xdpd is a guest.
# They do not follow --prefix: they are where the installed OVN has them.
AC_DEFUN([OVN_XDP_DIRS],
  [OVN_XDP_DIR([ovn-rundir], [OVN_RUNDIR], [/var/run/ovn],
               [run-time folder of OVN])
   OVN_XDP_DIR([ovn-logdir], [OVN_LOGDIR], [/var/log/ovn],
               [log folder of OVN])
   OVN_XDP_DIR([ovn-sysconfdir], [OVN_SYSCONFDIR], [/etc],
               [configuration folder of OVN])
   OVN_XDP_DIR([ovs-rundir], [OVS_RUNDIR], [/var/run/openvswitch],
               [run-time folder of Open vSwitch])])

# OVN_XDP_DIR(OPTION, MACRO, DEFAULT, DESCRIPTION)
# ------------------------------------------------
# Take a folder from --with-OPTION and define DEFAULT_MACRO as its name.
AC_DEFUN([OVN_XDP_DIR],
  [AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=DIR], [$4 (default: $3)])],
               [DEFAULT_$2=$withval], [DEFAULT_$2=$3])
   AC_DEFINE_UNQUOTED([DEFAULT_$2], ["$DEFAULT_$2"],
                      [The $4, where $2 in the environment names no other.])
   AC_SUBST([DEFAULT_$2])])

# OVN_XDP_CC_OPTION(VARIABLE, OPTION)
# -----------------------------------
# Append OPTION to VARIABLE if the compiler knows it.  The compiler is asked
# without a leading "-Wno-", as it accepts every unknown one of those.
AC_DEFUN([OVN_XDP_CC_OPTION],
  [AC_MSG_CHECKING([whether $CC accepts $2])
   ovn_xdp_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror m4_bpatsubst([$2], [^-Wno-], [-W])"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
     [AC_MSG_RESULT([yes])
      $1="$$1 $2"],
     [AC_MSG_RESULT([no])])
   CFLAGS=$ovn_xdp_save_CFLAGS])

# OVN_XDP_WARNINGS
# ----------------
# Sets WARNING_CFLAGS.  OVS's own headers and generated code must pass, which
# is why signedness is not compared and partial initializers are allowed.
AC_DEFUN([OVN_XDP_WARNINGS],
  [AC_ARG_ENABLE([Werror],
     [AS_HELP_STRING([--enable-Werror], [make warnings errors])],
     [], [enable_Werror=no])
   WARNING_CFLAGS=
   m4_foreach_w([option],
     [-Wall -Wextra -Wbad-function-cast -Wbool-compare -Wcast-align=strict
      -Wdate-time -Wduplicated-cond -Wformat -Wformat-security
      -Wlogical-not-parentheses
      -Wmissing-declarations -Wmissing-prototypes -Wnested-externs
      -Wold-style-definition -Wpointer-arith -Wshadow -Wsizeof-array-argument
      -Wstrict-prototypes -Wswitch-bool -Wswitch-enum -Wvla
      -Wno-missing-field-initializers
      -Wno-sign-compare],
     [OVN_XDP_CC_OPTION([WARNING_CFLAGS], option)
])
   AS_IF([test "x$enable_Werror" = xyes],
         [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"
          BPF_WERROR=-Werror])
   AC_SUBST([WARNING_CFLAGS])
   AC_SUBST([BPF_WERROR])])

# OVN_XDP_SANITIZERS
# ------------------
# --enable-sanitizers: the address and undefined-behaviour sanitizers for
# user space; what they find ends the program.
AC_DEFUN([OVN_XDP_SANITIZERS],
  [AC_ARG_ENABLE([sanitizers],
     [AS_HELP_STRING([--enable-sanitizers],
                     [check addresses and undefined behaviour at run time])],
     [], [enable_sanitizers=no])
   SANITIZER_CFLAGS=
   AS_IF([test "x$enable_sanitizers" = xyes],
     [SANITIZER_CFLAGS="-fsanitize=address,undefined -fno-omit-frame-pointer"
      SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fno-sanitize-recover=all"
      AC_MSG_CHECKING([whether $CC links with sanitizers])
      ovn_xdp_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
      AC_LINK_IFELSE([AC_LANG_PROGRAM()],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         OVN_XDP_MISSING([the run-time library of the sanitizers],
                         [libasan8 libubsan1], [libasan libubsan])])
      CFLAGS=$ovn_xdp_save_CFLAGS])
   AC_SUBST([SANITIZER_CFLAGS])
   AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])])
