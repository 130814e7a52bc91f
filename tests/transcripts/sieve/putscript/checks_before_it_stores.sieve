# RFC 5804 §2.6: what fails the check isn't stored, and the old script stays; errors have their lines.
given connection 1 as anna
1> Putscript "foo" {31+}
1>> #comment\r\nInvalidSieveCommand\r\n\r\n
1< NO {76}
1< 2:20: expected ';' or '{' after 'invalidsievecommand', found end of script
1< 
1> LISTSCRIPTS
1< OK
