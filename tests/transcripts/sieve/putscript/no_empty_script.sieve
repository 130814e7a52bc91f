# RFC 5804 §2.6: a script of zero length is refused; one that only has a comment isn't.
given connection 1 as anna
1> PUTSCRIPT "a" ""
1< NO ...
1> PUTSCRIPT "a" {0+}
1> 
1< NO ...
1> CHECKSCRIPT ""
1< OK
1> PUTSCRIPT "a" "#"
1< OK
1> LISTSCRIPTS
1< "a"
1< OK
