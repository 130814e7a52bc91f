# Runs when a message comes into a mailbox with the special use \Junk (see postern.toml here).
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.user" "*" { set "user" "${1}"; }
pipe :copy "learn" ["spam", "${user}"];
