# RFC 5804 §2.3: OK, and what the client sends after LOGOUT is ignored.
given connection 1 as anna
1>> Logout\r\nNOOP\r\n
1< OK ...
1! closed
