#!/bin/sh
# The TIFFs of export_outputs as GDAL (and so QGIS) sees them: origin, pixel size, bands, overviews, nodata, no warning, and
# an overview that holds the same picture. Proves what other people's software reads; test_tiff.c proves the values.
# check_gdal.sh DIR      exit status 77 without gdalinfo
dir=$1
command -v gdalinfo >/dev/null || { echo "skipped: no gdalinfo; install the Debian package gdal-bin"; exit 77; }
failures=0
expect() { # FILE PATTERN
    if gdalinfo "$dir/$1" 2>&1 | grep -q -- "$2"; then echo "ok     $1: $2"; else
        echo "FAILED $1: $2 not in what gdalinfo says"; failures=$((failures + 1)); fi
}
for file in unrolled relief coverage; do
    expect $file.tif 'Size is 2000, 471'
    expect $file.tif 'Origin = (0.0000*,0.94247'
    expect $file.tif 'Pixel Size = (0.00200000*,-0.0020010'
    expect $file.tif 'LENGTHUNIT\["metre",1'
    expect $file.tif 'AREA_OR_POINT=Area'
    expect $file.tif 'COMPRESSION=DEFLATE'
    expect $file.tif 'Block=256x256'
    expect $file.tif 'Overviews: 1000x236, 500x118, 250x59'
    if gdalinfo -checksum "$dir/$file.tif" 2>&1 | grep -iE 'warning|error'; then
        echo "FAILED $file.tif: GDAL complains"; failures=$((failures + 1)); fi
done
expect unrolled.tif 'Type=Byte, ColorInterp=Alpha'
expect relief.tif 'NoData Value=nan'
expect relief.tif 'Unit Type: m'
expect coverage.tif 'NoData Value=0'
expect coverage.tif 'Description = number of views'
# The crown's green mark, station 1.5 m, in full and in each overview.
for level in full 0 1 2; do
    option=$( [ $level = full ] || echo "-overview $level" )
    rgb=$(gdallocationinfo -valonly -geoloc $option "$dir/unrolled.tif" 1.5 0.47 2>&1 | tr '\n' ' ')
    if [ "$rgb" = "20 200 40 255 " ]; then echo "ok     green at the crown, level $level"; else
        echo "FAILED green at the crown, level $level: $rgb"; failures=$((failures + 1)); fi
done
exit $((failures > 0))
