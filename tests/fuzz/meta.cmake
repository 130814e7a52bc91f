postern_fuzz(meta_wire meta_wire_fuzz.cpp USES postern_meta)
