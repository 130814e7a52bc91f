postern_fuzz(store store_fuzz.cpp USES postern_store)
