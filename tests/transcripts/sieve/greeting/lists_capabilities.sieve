# RFC 5804 §1.7: capabilities come first; IMPLEMENTATION, SIEVE, VERSION and, with enotify, NOTIFY are
# always there, OWNER isn't before login.
given connection 1, greeting unread
1< "IMPLEMENTATION" "Postern"
1< "VERSION" "1.0"
1< "SASL" "...
1< "SIEVE" "{text}"
1< "EXTLISTS" "tag urn"
1< "NOTIFY" "mailto log"
1< "MAXREDIRECTS" "5"
1< "UNAUTHENTICATE"
1< "STARTTLS"
1< OK ...
1> LOGOUT
1< OK ...
1! closed
