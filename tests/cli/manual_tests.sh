#!/usr/bin/env bash
# What the manual pages promise: every test that they name is one that CTest runs.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${SOURCE_DIR:?}" "${BUILD_DIR:?}"

# The tests of one room, and those that the pages name.
tests_of() {
    sed -n 's/^add_test([^A-Za-z]*\([a-z0-9_/]*\).*/\1/p' "$BUILD_DIR/tests/$1/CTestTestfile.cmake"
}
named() {
    sed -n 's/F</\n&/gp' "$SOURCE_DIR"/doc/*.pod |
        sed -n 's/^F<\(\(unit\|evp\|cli\|interop\|second\|examples\)\/[a-z0-9_]*\)>.*/\1/p' | sort -u
}
known=$(for room in unit evp cli interop second examples; do tests_of "$room"; done)
count=$(named | grep -c .)
expect_equal "the pages name tests" yes "$([ "$count" -ge 30 ] && echo yes || echo "only $count")"
while read -r name; do
    expect_equal "there is a test $name" "$name" "$(grep -x -F "$name" <<<"$known")"
done < <(named)

finish
