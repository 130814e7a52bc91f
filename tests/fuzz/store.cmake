postern_fuzz(store store_fuzz.cpp USES postern_store)
postern_fuzz(store_mailbox store_mailbox_fuzz.cpp USES postern_store)
