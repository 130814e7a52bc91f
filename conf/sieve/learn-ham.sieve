# Runs when a message leaves \Junk for another mailbox; what is thrown away teaches nothing.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :is "imap.mailbox" ["Trash", "Deleted Messages"] { stop; }
if environment :matches "imap.user" "*" { set "user" "${1}"; }
pipe :copy "learn" ["ham", "${user}"];
