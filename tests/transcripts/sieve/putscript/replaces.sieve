# RFC 5804 §2.6: a script of the same name is overwritten; whether it is active stays as it was.
given connection 1 as anna
1> PUTSCRIPT "a" "keep;"
1< OK
1> SETACTIVE "a"
1< OK
1> PUTSCRIPT "a" "discard;"
1< OK
1> LISTSCRIPTS
1< "a" ACTIVE
1< OK
1> PUTSCRIPT "a" "nonsense"
1< NO ...
1< ...
1> GETSCRIPT "a"
1< {8}
1< discard;
1< OK
