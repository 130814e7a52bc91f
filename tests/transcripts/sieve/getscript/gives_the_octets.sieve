# RFC 5804 §2.9: the script comes back octet for octet, in a literal of the server's form.
given connection 1 as anna
1> PUTSCRIPT "myscript" {21+}
1>> # a\nkeep;\r\n# \xc3\xbc\r\n\r\n\r\n\r\n
1< OK
1> GETSCRIPT "myscript"
1< {21}
1< # a
1< keep;
1< # ü
1< 
1< 
1< 
1< OK
1> GETSCRIPT "none"
1< NO (NONEXISTENT) ...
