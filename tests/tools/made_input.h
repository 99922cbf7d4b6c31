/* Inputs for the program, made on the spot: by ffmpeg, and by the simulator for what must be a pipe. */
#ifndef INTRA_TEST_MADE_INPUT_H
#define INTRA_TEST_MADE_INPUT_H

#include <stdbool.h>

/* False when the ffmpeg program is not there: such tests skip. */
bool made_input_can(void);
/* ffmpeg with these words in `folder`; must succeed. */
void made_input_ffmpeg(const char *folder, const char *words);
/* A short, small simulated pipe of 300 mm: folder/pipe/video.mp4, camera.yaml and truth. */
void made_input_pipe(const char *folder);

#endif
