/* The program: takes the command line, builds the machine, runs it, and is the only place that
 * exits. */

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-version") == 0) {
        printf("myna emulator version " PACKAGE_VERSION "\n");
        return 0;
    }
    fprintf(stderr, "%s: this version only knows -version\n", argv[0]);
    return 1;
}
