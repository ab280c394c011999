#!/usr/bin/env bash
# The manual's parameters are those of the provider's tables: names, types, and where each is taken or
# given, both ways.  Needs LIST_PARAMETERS, the program of list_parameters.c.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=manual_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/manual_lib.sh"
: "${LIST_PARAMETERS:?}"

"$LIST_PARAMETERS" >tables || bail "list_parameters"

# provided OPERATION [ALGORITHM]: "name type where", sorted, of one table or several together.
provided() {
    awk -F '\t' -v operation="$1" -v algorithm="${2:-}" '
        $1 ~ "^(" operation ")$" && (algorithm == "" || $2 == algorithm) {
            print "\"" $5 "\" <" $4 ">: " $3 }' tables | sort -u
}

# documented PAGE: the same of its items.
documented() {
    perl -ne 'if (/^=item ("[^"]+" <[^>]+>): (.*)$/) { print "$1: $_\n" for split /, /, $2 }' \
        "$SOURCE_DIR/doc/$1.pod" | sort -u
}

# page PAGE OPERATION [ALGORITHM]
page() {
    local tables
    tables=$(provided "$2" "${3:-}")
    expect_equal "$1 has the parameters of $2 ${3:-} ($(grep -c . <<<"$tables"))" "$tables" \
        "$(documented "$1")"
}

page EVP_KDF-PCT1 KDF PCT1-KDF
page EVP_KDF-SSL2 KDF SSL2-KDF
page EVP_KDF-SSL3 KDF SSL3-KDF
page EVP_KDF-TLS1 KDF TLS1-KDF
page EVP_KDF-CRYPTDERIVEKEY KDF CRYPTDERIVEKEY
page EVP_CIPHER-SCHANNEL CIPHER
page EVP_MAC-SCHANNEL MAC
page EVP_KEYEXCH-SCHANNEL KEYEXCH
page EVP_SIGNATURE-SCHANNEL SIGNATURE
page EVP_ASYM_CIPHER-SCHANNEL ASYM_CIPHER
page EVP_SKEY-SCHANNEL SKEYMGMT
page OSSL_STORE-schannel STORE
page EVP_PKEY-SCHANNEL 'KEYMGMT|ENCODER|DECODER'

# ---- what openssl list shows is the same ----

# shown OPTION NAME: the parameter names that "openssl list" prints of an algorithm of ours.
shown() {
    schannel_openssl list -provider schannel "$1" -verbose 2>/dev/null </dev/null |
        awk -v name="$2" '
            /^  [^ ]/ { inside = index($0, name " @ schannel") != 0 || ($0 ~ /Type: Provider/) }
            / @ schannel/ { inside = index($0, name " @") != 0 }
            inside && /^ *[a-z0-9-]+: *(integer|unsigned|UTF8|octet)/ {
                sub(/:.*/, ""); gsub(/ /, ""); print }' | sort -u
}

# lists OPTION OPERATION NAME WHERE...: and those of the tables.
lists() {
    local option=$1 operation=$2 name=$3
    expect_equal "openssl list $option shows those of $name" \
        "$(awk -F '\t' -v operation="$operation" -v name="$name" \
            '$1 == operation && $2 == name && $3 !~ /import|export/ { print $5 }' tables | sort -u)" \
        "$(shown "$option" "$name")"
}

for name in PCT1-KDF SSL2-KDF SSL3-KDF TLS1-KDF CRYPTDERIVEKEY; do
    lists -kdf-algorithms KDF "$name"
done
for name in PCT1-MAC SSL2-MAC SSL3-MAC TLS1-MAC; do
    lists -mac-algorithms MAC "$name"
done
for name in SCHANNEL-RC4 SCHANNEL-RC2-CBC SCHANNEL-DES-CBC SCHANNEL-DES-EDE-CBC \
    SCHANNEL-DES-EDE3-CBC SCHANNEL-AES-128-CBC SCHANNEL-AES-192-CBC SCHANNEL-AES-256-CBC; do
    lists -cipher-algorithms CIPHER "$name"
done
lists -key-managers KEYMGMT SCHANNEL
lists -key-exchange-algorithms KEYEXCH SCHANNEL
lists -signature-algorithms SIGNATURE SCHANNEL
lists -asymcipher-algorithms ASYM_CIPHER SCHANNEL

# ---- names.h and the pages ----

cat "$SOURCE_DIR"/doc/EVP_*.pod "$SOURCE_DIR"/doc/OSSL_*.pod | tr -s '\n ' '  ' >pages

for macro in PARAM ALG USAGE BLOB BLOB_MODE FORK SALT_MODE PAD_MODE PURPOSE PEM_LABEL KDF CIPHER MAC; do
    # shellcheck disable=SC1003 # a backslash
    while read -r value; do
        expect_equal "SCHANNEL_${macro}_...: \"$value\" is in the manual" yes \
            "$(grep -q -F -e "$value" pages && echo yes)"
    done < <(tr '\n\\' '  ' <"$SOURCE_DIR/include/schannel/names.h" |
        grep -o "#define SCHANNEL_${macro}_[A-Z0-9_]* *\"[^\"]*\"" | sed 's/.*"\(.*\)"/\1/')
done

# ---- links ----

# A page that another one points to exists, or is OpenSSL's or the system's.
for page in $(all_pages); do
    while read -r link; do
        expect_equal "$page points to $link, which exists" yes \
            "$([ -f "$SOURCE_DIR/doc/$link.pod" ] && echo yes)"
    done < <(grep -o -E 'L<(schannel-[a-z]+|[A-Z_]+-[A-Za-z0-9_]*(SCHANNEL|schannel|PCT1|SSL2|SSL3|TLS1|CRYPTDERIVEKEY))\(7\)' \
        "$SOURCE_DIR/doc/$page.pod" | sed 's/L<\(.*\)(7)/\1/' | sort -u)
done

finish
