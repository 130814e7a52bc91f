# RFC 5804 §2.8: at most one is active; "" disables it and is no error without one.
given connection 1 as anna
1> SETACTIVE ""
1< OK
1> SETACTIVE "baz"
1< NO (NONEXISTENT) ...
1> PUTSCRIPT "a" "keep;"
1< OK
1> PUTSCRIPT "b" "keep;"
1< OK
1> setactive "a"
1< OK
1> SETACTIVE "b"
1< OK
1> LISTSCRIPTS
1< "a"
1< "b" ACTIVE
1< OK
1> SETACTIVE "baz"
1< NO (NONEXISTENT) ...
1> LISTSCRIPTS
1< "a"
1< "b" ACTIVE
1< OK
1> SETACTIVE ""
1< OK
1> LISTSCRIPTS
1< "a"
1< "b"
1< OK
1> SETACTIVE
1< NO ...
