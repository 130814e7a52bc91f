postern_fuzz(service_message ${CMAKE_CURRENT_SOURCE_DIR}/service_message_fuzz.cpp USES postern_service)
