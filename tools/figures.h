/* Named figures with their units: collected one by one, shown as a table or as JSON. */
#ifndef INTRA_TOOLS_FIGURES_H
#define INTRA_TOOLS_FIGURES_H

#include "tools/json.h"

#include <stdint.h>
#include <stdio.h>

enum { INTRA_MAX_FIGURES = 128 };

struct intra_figure {
    const char *key;   /* for machines: "ate_rmse_mm" */
    const char *label; /* for people */
    const char *unit;  /* "mm", "%" */
    double value;      /* NaN: not available */
    int64_t n;         /* how many things it was taken over; -1: does not apply */
};

struct intra_figures {
    struct intra_figure items[INTRA_MAX_FIGURES];
    int n;
};

/* The texts are borrowed. */
void intra_figures_add(struct intra_figures *figures, const char *key, const char *label, double value,
                       const char *unit, int64_t n);
/* A heading in the table; nothing in JSON. */
void intra_figures_heading(struct intra_figures *figures, const char *label);
void intra_figures_print(const struct intra_figures *figures, FILE *stream);
/* "figures": { key: {"value", "unit", "n"}, ... } */
void intra_figures_put_json(const struct intra_figures *figures, struct intra_json *json);

#endif
