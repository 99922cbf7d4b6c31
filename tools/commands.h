/* The commands of the program. Each takes its own words (argv[0] is the command's name) and gives the exit status:
 * 0 done, 1 failed, 2 wrong usage, 3 done with gaps. Each prints its own errors, through intra_command_fail. */
#ifndef INTRA_TOOLS_COMMANDS_H
#define INTRA_TOOLS_COMMANDS_H

enum { INTRA_EXIT_DONE = 0, INTRA_EXIT_FAILED = 1, INTRA_EXIT_USAGE = 2, INTRA_EXIT_GAPS = 3 };

int intra_cmd_reconstruct(int argc, char **argv);
int intra_cmd_simulate(int argc, char **argv);
int intra_cmd_evaluate(int argc, char **argv);
int intra_cmd_export(int argc, char **argv);
int intra_cmd_view(int argc, char **argv);
int intra_cmd_measure(int argc, char **argv);
int intra_cmd_import(int argc, char **argv);
int intra_cmd_info(int argc, char **argv);

#endif
