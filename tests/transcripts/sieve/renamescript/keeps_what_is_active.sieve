# RFC 5804 §2.11: the renamed script stays active; NONEXISTENT and ALREADYEXISTS.
given connection 1 as anna
1> RENAMESCRIPT "foo" "bar"
1< NO (NONEXISTENT) ...
1> PUTSCRIPT "foo" "keep;"
1< OK
1> PUTSCRIPT "taken" "discard;"
1< OK
1> SETACTIVE "foo"
1< OK
1> RENAMESCRIPT "foo" "taken"
1< NO (ALREADYEXISTS) ...
1> RENAMESCRIPT "none" "taken"
1< NO (NONEXISTENT) ...
1> RENAMESCRIPT "foo" "bar"
1< OK
1> LISTSCRIPTS
1< "bar" ACTIVE
1< "taken"
1< OK
1> RENAMESCRIPT "bar" "bar"
1< NO (ALREADYEXISTS) ...
1> RENAMESCRIPT "bar" ""
1< NO ...
1> RENAMESCRIPT "bar"
1< NO ...
