# shellcheck shell=bash
# Examples of the manual, for manual.sh and manual_c.sh: behind "=for testing KIND" stands a block
#   sh         commands, run one block after another in one shell and an empty directory
#   output     what the commands before it print, whole
#   last-line  the last line that they print
#   c          the body of a function, compiled and run
#   no ...     a command that is not run, and why
: "${SOURCE_DIR:?}"

# blocks PAGE KIND [NUMBER]: all blocks of a kind, or one, without their indentation.
blocks() {
    perl -e '
        my ($kind, $wanted) = splice @ARGV, 0, 2;
        my ($number, $inside) = (0, 0);
        while (<>) {
            if (/^=for testing (\S+)/) { $inside = $1 eq $kind ? ++$number : 0; next }
            $inside = 0 if /^\S/;
            print s/^    //r if $inside && (!$wanted || $inside == $wanted);
        }' "$2" "${3:-0}" "$SOURCE_DIR/doc/$1.pod"
}

# count_blocks PAGE KIND
count_blocks() {
    grep -c "^=for testing $2\$" "$SOURCE_DIR/doc/$1.pod"
}

# pages_with KIND: the pages that have such blocks.
pages_with() {
    grep -l "^=for testing $1\$" "$SOURCE_DIR"/doc/*.pod | sed 's|.*/\(.*\)\.pod$|\1|'
}

# all_pages
all_pages() {
    (cd "$SOURCE_DIR/doc" && ls -- *.pod) | sed 's/\.pod$//'
}
