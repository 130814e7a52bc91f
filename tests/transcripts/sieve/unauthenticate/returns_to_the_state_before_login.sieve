# RFC 5804 §2.14.1: another AUTHENTICATE is refused after login, UNAUTHENTICATE takes the user away.
given connection 1 as anna
1> AUTHENTICATE "PLAIN"
1< NO ...
1> UNAUTHENTICATE
1< OK
1> LISTSCRIPTS
1< NO ...
1> CAPABILITY
1< ...
1< "STARTTLS"
1< OK
1> AUTHENTICATE "PLAIN"
1< ""
1> "*"
1< NO ...
