#include "made_input.h"

#include "program.h"

#include <stdio.h>
#include <stdlib.h>

bool made_input_can(void)
{
    return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

void made_input_ffmpeg(const char *folder, const char *words)
{
    program_shell("cd '%s' && ffmpeg -nostdin -loglevel error -y %s", folder, words);
}

void made_input_pipe(const char *folder)
{
    char path[256];
    FILE *file;
    snprintf(path, sizeof path, "%s/pipe.json", folder);
    file = fopen(path, "w");
    fprintf(file,
            "{\"name\": \"short\", \"video\": {\"width\": 320, \"height\": 240}, \"lens\": {\"hfov_deg\": 72},\n"
            " \"pipe\": {\"diameter_m\": 0.3, \"material\": \"concrete\"}, \"centreline\": [{\"straight_m\": 3}],\n"
            " \"joints\": {\"spacing_m\": 1.0, \"first_m\": 0.7},\n"
            " \"motion\": {\"start_m\": 0.3, \"phases\": [{\"action\": \"drive\", \"distance_m\": 0.7, \"speed_m_s\": "
            "0.3}]}}\n");
    fclose(file);
    program_expect(folder, "simulate pipe.json -o pipe --quiet", 0, NULL);
}
