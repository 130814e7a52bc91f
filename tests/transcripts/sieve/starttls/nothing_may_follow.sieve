# RFC 5804 §2.2: what was sent together with STARTTLS came in the clear, so it ends the session.
given connection 1, octets together
1>> STARTTLS\r\nNOOP\r\n
1< BYE ...
1! closed
