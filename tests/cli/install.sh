#!/usr/bin/env bash
#
# cmake --install puts the module where OpenSSL looks for it, and the sample configuration, as it
# stands but for the module's path, activates it.
# The headers are found by pkg-config and by CMake, in C and in C++; the Debian package has it all and
# comes out the same twice.
# Needs BUILD_DIR, SOURCE_DIR and MODULES_DIR (where OpenSSL's modules are, as CMake found it); LINK_OPTIONS are
# those of the build.
set -u
: "${BUILD_DIR:?}" "${MODULES_DIR:?}" "${SOURCE_DIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

check() { # check SENTENCE COMMAND...
    local sentence=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        printf 'ok - %s\n' "$sentence"
    else
        printf 'not ok - %s\n' "$sentence"
        sed 's/^/    /' "$work/output"
        failed=1
    fi
}

check 'cmake --install succeeds' env DESTDIR="$work/root" cmake --install "$BUILD_DIR"
check 'the module is in the modules directory' test -f "$work/root$MODULES_DIR/schannel.so"
# An OpenSSL that was unpacked rather than installed has its root before what it was built with.
modules=$(openssl version -m | sed -n 's/^MODULESDIR: "\(.*\)"$/\1/p')
check 'that is where openssl version -m points' \
    test -n "$modules" -a "$MODULES_DIR" != "${MODULES_DIR%"$modules"}"
header=$(find "$work/root" -path '*/include/schannel/names.h')
check 'the public header is installed' test -n "$header"
sample=$(find "$work/root" -name openssl.cnf.sample)
check 'the sample configuration is installed' test -n "$sample"
# with_sample COMMAND...: the sample as it stands, and the module where it was installed.
with_sample() {
    OPENSSL_CONF=$sample OPENSSL_MODULES=$work/root$MODULES_DIR "$@" 2>&1
}
check 'the sample as it stands activates the installed module' \
    grep -q 'name: Schannel CSP provider' <(with_sample openssl list -providers)
check 'and the default provider' \
    grep -q 'name: OpenSSL Default Provider' <(with_sample openssl list -providers)
check 'without the legacy provider nothing is said' \
    test "$(with_sample openssl list -providers | grep -c -i -e legacy -e error)" -eq 0
if [ -f "$MODULES_DIR/legacy.so" ]; then
    ln -s "$MODULES_DIR/legacy.so" "$work/root$MODULES_DIR/"
    check 'it activates the legacy provider where there is one' \
        grep -q 'name: OpenSSL Legacy Provider' <(with_sample openssl list -providers)
    rm "$work/root$MODULES_DIR/legacy.so"
else
    check 'legacy.so is absent because Debian has it in another package' \
        test -z "$(find / -xdev -name legacy.so -path '*/ossl-modules/*' 2>/dev/null)"
fi
check 'a command needs no option' \
    with_sample openssl kdf -keylen 4 -kdfopt usage:prf -kdfopt secret:s -kdfopt seed:s TLS1-KDF
check 'every key of the sample is explained' test -z "$(awk '
    /^#/ { explained = 1; next }
    /^[a-z_-]+ = / && !explained { print }
    { explained = 0 }' "$sample")"

# The version has one place.
version=$(sed -n 's/^project(schannel VERSION \([0-9.]*\) .*/\1/p' "$SOURCE_DIR/CMakeLists.txt")
check 'the provider says the version of the project' \
    grep -q -x "    version: $version" <(with_sample openssl list -providers)
check 'the newest entry of schannel-changes(7) is of that version' \
    test "$(grep -m 1 '^=head1 VERSION' "$SOURCE_DIR/doc/schannel-changes.pod")" = "=head1 VERSION $version"
pages=$(cd "$SOURCE_DIR/doc" && printf '%s\n' *.pod | sed 's/\.pod$/.7/')
check 'every manual page is installed' \
    test "$pages" = "$(cd "$(dirname "$(find "$work/root" -name schannel-blob.7)")" && printf '%s\n' *)"
check 'man pages say what they are of' grep -q "schannel \|\"$version\"" \
    "$(find "$work/root" -name EVP_PKEY-SCHANNEL.7)"

# ---- programs that use the headers ----

cat >"$work/user.c" <<'C'
#include <schannel/schannel.h>
int main(void)
{
    return schannel_import(NULL, (const unsigned char *)"", 0, NULL, NULL, NULL) != NULL;
}
C
cp "$work/user.c" "$work/user.cc"
cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.21)
project(user LANGUAGES C)
find_package(schannel @VERSION@ EXACT REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE schannel::headers)
CMAKE
sed -i "s/@VERSION@/$version/" "$work/CMakeLists.txt"
pc=$(find "$work/root" -name schannel.pc)
flags() { PKG_CONFIG_SYSROOT_DIR="$work/root" PKG_CONFIG_PATH="${pc%/*}" pkg-config "$@" schannel; }
check 'pkg-config knows the version and the modules directory' \
    test "$(flags --modversion) $(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=modulesdir schannel)" \
    = "$version $MODULES_DIR"
# shellcheck disable=SC2046 # flags are words
check 'a C program builds with pkg-config' \
    cc -std=c11 -Wall -Wextra -Wconversion -Werror $(flags --cflags) "$work/user.c" -lcrypto -o "$work/c"
# shellcheck disable=SC2046
check 'a C++ program builds with pkg-config' \
    c++ -std=c++11 -Wall -Wextra -Wconversion -Werror $(flags --cflags) "$work/user.cc" -lcrypto \
    -o "$work/cc"
config=$(find "$work/root" -name schannelConfig.cmake)
check 'a CMake project is configured' \
    cmake -S "$work" -B "$work/user" -Dschannel_DIR="${config%/*}" \
    -DCMAKE_EXE_LINKER_FLAGS="${LINK_OPTIONS:-}"
check 'a CMake project builds' cmake --build "$work/user"

# ---- the Debian package ----

# shellcheck disable=SC2317 # called through check
package() { # package DIRECTORY
    (cd "$BUILD_DIR" && SOURCE_DATE_EPOCH=1700000000 cpack -G DEB -B "$work/$1") &&
        cat "$work/$1"/*.deb >"$work/$1.deb"
}
check 'cpack makes a Debian package' package first
check 'cpack makes it again' package second
check 'and the two are the same' cmp "$work/first.deb" "$work/second.deb"
check 'the package unpacks' dpkg-deb -x "$work/first.deb" "$work/unpacked"
for file in "$MODULES_DIR/schannel.so" /usr/include/schannel/names.h /usr/include/schannel/schannel.h \
    /usr/share/pkgconfig/schannel.pc /usr/share/doc/schannel/openssl.cnf.sample \
    /usr/share/man/man7/schannel-blob.7 /usr/share/man/man7/EVP_PKEY-SCHANNEL.7; do
    check "the package holds $file" test -f "$work/unpacked$file"
done
exit "$failed"
