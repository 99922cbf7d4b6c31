/* Matching a block of one grey image in another by normalised cross-correlation, to a fraction of a cell. Rows wrap
 * around. */
#ifndef INTRA_TOOLS_MATCH_H
#define INTRA_TOOLS_MATCH_H

#include <stdbool.h>
#include <stdint.h>

/* A band-passed grey image with the cells that hold something. */
struct intra_match_image {
    int rows, cols;
    float *grey;   /* rows x cols */
    uint8_t *seen; /* rows x cols: 1, or 0 where there is nothing */
};

/* Grey minus its surroundings: differences of two smoothings (three box passes each, of about the given standard
 * deviations, in cells), unseen cells not counted; unseen cells become 0. `scratch`: 4 x rows x cols floats. */
void intra_match_bandpass(struct intra_match_image *image, double fine_cells, double wide_cells, float *scratch);

/* Standard deviation of the block of size x size cells whose first cell is (row, col). */
double intra_match_contrast(const struct intra_match_image *image, int row, int col, int size);
/* Share of cells seen in it. */
double intra_match_seen(const struct intra_match_image *image, int row, int col, int size);

struct intra_match {
    double d_row, d_col; /* where the block of `from` lies in `to`, minus where it lies in `from`, cells */
    double correlation;  /* at the best place */
    double second;       /* best correlation more than `apart` cells away from it */
    bool is_inside;      /* the best place is not at the edge of the search */
};
enum { INTRA_MATCH_MAX_REACH = 40 };

/* Search displacements of up to `reach` cells around (row0, col0); columns must stay inside `to`. */
struct intra_match intra_match_block(const struct intra_match_image *from, const struct intra_match_image *to, int row,
                                     int col, int size, int row0, int col0, int reach, int apart);

#endif
