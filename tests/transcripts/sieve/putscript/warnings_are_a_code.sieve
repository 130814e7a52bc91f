# RFC 5804 §1.3: WARNINGS with OK; the script is stored all the same.
given connection 1 as anna
1> CHECKSCRIPT "stop; keep;"
1< OK (WARNINGS) {28}
1< 1:7: this is never reached
1< 
1> PUTSCRIPT "w" "stop; keep;"
1< OK (WARNINGS) {28}
1< 1:7: this is never reached
1< 
1> LISTSCRIPTS
1< "w"
1< OK
