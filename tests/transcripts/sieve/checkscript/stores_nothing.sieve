# RFC 5804 §2.12: neither stored nor measured against the quota of scripts; an extension that only
# ihave names is no error.
given connection 1 as anna
1> PUTSCRIPT "a" "keep;"
1< OK
1> PUTSCRIPT "b" "keep;"
1< OK
1> PUTSCRIPT "c" "keep;"
1< OK
1> CheckScript "discard;"
1< OK
1> CHECKSCRIPT {32+}
1>> require "ihave";\nif ihave "x" {}\r\n
1< OK
1> CHECKSCRIPT "require \"telepathy\";"
1< NO {57}
1< 1:9: this server doesn't have the extension "telepathy"
1< 
1> LISTSCRIPTS
1< "a"
1< "b"
1< "c"
1< OK
