# cmake -DROOT=<source tree> -P arrows.cmake: reads every #include of the rooms and fails on a wrong arrow.
#
# Proves: a room includes only the rooms that it may know, the simulator shares no camera, scene or raster with recon (looked
# for through headers of headers too), and a foreign header stands only in the .c files that wrap it and in no header. Does not
# prove: that nothing is declared by hand around an include (-Wmissing-prototypes and review do).
cmake_minimum_required(VERSION 3.22)
if(NOT ROOT)
  message(FATAL_ERROR "say which tree: cmake -DROOT=<source tree> -P arrows.cmake")
endif()

# room: the rooms it may include
set(rooms core recon export tools/sim tools)
set(may_core core)
set(may_recon core recon)
set(may_export core export)
set(may_tools/sim core tools/sim)
set(may_tools ${rooms})
# What of core the simulator may not reach, not even through another header: an error in it would cancel itself.
set(sim_forbidden "^core/(camera[a-z_]*|scene|raster)\\.h$")

# foreign header (regular expression) and the files that may include it
set(foreign
  "^lib(av[a-z]*|sw[a-z]*|postproc)/"  "^core/video[a-z_]*\\.c$"
  "^sqlite3"                           "^core/(store[a-z_]*|dbfile)\\.c$"
  "^yaml\\.h$"                         "^core/camera_file\\.c$"
  "^(jpeglib|turbojpeg|jerror)\\.h$"   "^core/image\\.c$"
  "^png[a-z]*\\.h$"                    "^core/image\\.c$"
  "^(tiffio|tiff|xtiffio|geotiff)"     "^(export/tiff(_read)?|tools/sim/sim_tiff)\\.c$"
  "^(tesseract|leptonica|allheaders)"  "^recon/counter_ocr\\.c$"
  "^(gdal|ogr|cpl)[a-z_]*\\.h$"       "^export/gis\\.c$"
  "^assimp/"                           "^export/assimp[a-z_]*\\.c$"
  "^(cholmod|SuiteSparse)"             "^recon/bundle_cholmod\\.c$"
  "^libxml/"                           "^export/record_xml\\.c$"
  "^(mdbtools|mdbsql|glib)"            "^export/record_mdb\\.c$"
  "^jansson\\.h$"                      "\\.c$")

set(problems "")

# The room of a path, "" when it stands in none.
function(room_of path out)
  set(found "")
  foreach(room ${rooms}) # tools/sim before tools
    if(NOT found AND path MATCHES "^${room}/")
      set(found ${room})
    endif()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# The included names of a file: quoted ones into out_ours, <...> ones into out_foreign.
function(includes_of path out_ours out_foreign)
  set(ours "")
  set(others "")
  file(STRINGS "${ROOT}/${path}" lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line ${lines})
    if(line MATCHES "include[ \t]*\"([^\"]+)\"")
      list(APPEND ours "${CMAKE_MATCH_1}")
    elseif(line MATCHES "include[ \t]*<([^>]+)>")
      list(APPEND others "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  set(${out_ours} "${ours}" PARENT_SCOPE)
  set(${out_foreign} "${others}" PARENT_SCOPE)
endfunction()

macro(problem)
  string(APPEND problems "  ${ARGV0}\n")
endmacro()

set(files "")
foreach(folder core recon export tools)
  file(GLOB_RECURSE found RELATIVE ${ROOT} ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h)
  list(APPEND files ${found})
endforeach()
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no source file under ${ROOT}")
endif()

foreach(file ${files})
  room_of(${file} room)
  includes_of(${file} ours others)
  foreach(name ${ours})
    room_of(${name} target)
    if(NOT target)
      list(APPEND others "${name}") # a foreign header in quotes is foreign all the same
      if(EXISTS ${ROOT}/${name} OR name MATCHES "\\.\\.|^[a-z_]+\\.h$")
        problem("${file} includes \"${name}\": write the path from the root of the tree, as room/name.h")
      endif()
    elseif(NOT target IN_LIST may_${room})
      problem("${file} includes \"${name}\": ${room} may not know ${target}")
    endif()
  endforeach()
  foreach(name ${others})
    set(rules ${foreign})
    while(rules)
      list(POP_FRONT rules header place)
      if(name MATCHES "${header}" AND NOT file MATCHES "${place}")
        problem("${file} includes <${name}>: that stands only in ${place}")
      elseif(name MATCHES "${header}" AND file MATCHES "\\.h$")
        problem("${file} includes <${name}>: no foreign header in a header")
      endif()
    endwhile()
  endforeach()
  if(room STREQUAL "tools/sim") # what it reaches through headers
    set(todo ${ours})
    set(seen "")
    while(todo)
      list(POP_FRONT todo name)
      if(name IN_LIST seen)
        continue()
      endif()
      list(APPEND seen ${name})
      if(name MATCHES "${sim_forbidden}")
        problem("${file} reaches \"${name}\": the simulator shares no camera, scene or raster code with recon")
      endif()
      if(EXISTS ${ROOT}/${name})
        includes_of(${name} deeper ignored)
        list(APPEND todo ${deeper})
      endif()
    endwhile()
  endif()
endforeach()

if(problems)
  message(FATAL_ERROR "wrong arrows:\n${problems}")
endif()
message(STATUS "${count} files, every arrow right")
