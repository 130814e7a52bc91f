postern_fuzz(imap_command imap_command_fuzz.cpp
  USES postern_imapd postern_site postern_store postern_search postern_auth postern_meta postern_net)
postern_fuzz(imap_record imap_record_fuzz.cpp
  USES postern_imapd postern_site postern_store postern_search postern_auth postern_meta postern_net)
