# Fails unless the file DOCUMENT holds exactly one JSON document that has the KEYS (separated by blanks).
file(READ ${DOCUMENT} document)
# CMake's parser ignores what follows a document; as an array's one element nothing may follow.
string(JSON length ERROR_VARIABLE error LENGTH "[${document}]")
if(error OR NOT length EQUAL 1)
  message(FATAL_ERROR "not one JSON document: ${error}")
endif()
separate_arguments(KEYS)
foreach(key ${KEYS})
  string(JSON value ERROR_VARIABLE error GET "[${document}]" 0 ${key})
  if(error)
    message(FATAL_ERROR "no key '${key}': ${error}")
  endif()
endforeach()
