# RFC 5804 §1.7: OWNER is the user who is logged in, and STARTTLS is offered no longer.
given connection 1 as anna
1> CAPABILITY
1< "IMPLEMENTATION" "Postern"
1< "VERSION" "1.0"
1< "SASL" "{text}"
1< "SIEVE" "{text}"
1< "EXTLISTS" "tag urn"
1< "NOTIFY" "mailto log"
1< "MAXREDIRECTS" "5"
1< "UNAUTHENTICATE"
1< "OWNER" "anna"
1< OK
1> STARTTLS
1< NO ...
1> capability "x"
1< NO ...
