/* The 16550A of the board virt: FIFOs, trigger levels, timeouts, interrupts, loopback. */
#include <glib.h>
#include "qclient.h"

#define UART 0x10000000u
#define IRQ  10
enum {
    RBR = UART,
    THR = UART,
    DLL = UART,
    IER,
    DLM = IER,
    IIR,
    FCR = IIR,
    LCR,
    MCR,
    LSR,
    MSR,
    SCR
};

static struct qclient *q;

static void send(const char *text)
{
    qc_serial_send(q, text, strlen(text));
}

/* Characters travel through a socket: until the condition holds, with a bound. */
#define UNTIL(cond)                    \
    do {                               \
        int tries_ = 10000;            \
        while (!(cond) && --tries_)    \
            g_usleep(1000);            \
        g_assert_cmpint(tries_, >, 0); \
    } while (0)

static void test_registers(void)
{
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x60);
    g_assert_cmphex(qc_readb(q, MSR), ==, 0xb0);
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x01);
    qc_writeb(q, SCR, 0x5a);
    g_assert_cmphex(qc_readb(q, SCR), ==, 0x5a);
    qc_writeb(q, LCR, 0x83);
    qc_writeb(q, DLL, 0x34);
    qc_writeb(q, DLM, 0x12);
    g_assert_cmphex(qc_readb(q, DLL), ==, 0x34);
    g_assert_cmphex(qc_readb(q, DLM), ==, 0x12);
    qc_writeb(q, DLL, 1);
    qc_writeb(q, DLM, 0);
    qc_writeb(q, LCR, 0x03);
    g_assert_cmphex(qc_readb(q, IER), ==, 0);
    qc_writeb(q, IER, 0xff);
    g_assert_cmphex(qc_readb(q, IER), ==, 0x0f);
    qc_writeb(q, IER, 0);
}

static void test_send(void)
{
    qc_writeb(q, THR, 'h');
    qc_writeb(q, THR, 'i');
    qc_serial_expect(q, "hi");
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x60);
    /* the interrupt comes with being enabled, and goes with IIR being read */
    qc_writeb(q, IER, 2);
    g_assert_true(qc_irq(q, IRQ));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x02);
    g_assert_false(qc_irq(q, IRQ));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x01);
    qc_writeb(q, THR, 'x');
    g_assert_true(qc_irq(q, IRQ));
    qc_serial_expect(q, "x");
    qc_writeb(q, IER, 0);
    g_assert_false(qc_irq(q, IRQ));
}

static void test_receive_one(void)
{
    qc_writeb(q, IER, 1);
    send("ab");
    UNTIL(qc_readb(q, LSR) & 1);
    g_assert_true(qc_irq(q, IRQ));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x04);
    g_assert_cmphex(qc_readb(q, RBR), ==, 'a');
    UNTIL(qc_readb(q, LSR) & 1);
    g_assert_cmphex(qc_readb(q, RBR), ==, 'b');
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x60);
    g_assert_false(qc_irq(q, IRQ));
    qc_writeb(q, IER, 0);
}

static void test_fifo(void)
{
    char *state;

    qc_writeb(q, FCR, 0x81); /* on, trigger at 8 */
    qc_writeb(q, IER, 1);
    g_assert_cmphex(qc_readb(q, IIR), ==, 0xc1);
    send("1234567");
    UNTIL(qc_readb(q, LSR) & 1);
    /* below the trigger level: only after four characters' time, 4 * 10 bits at 230400 baud */
    g_assert_false(qc_irq(q, IRQ));
    qc_clock_step(q, 172000);
    g_assert_false(qc_irq(q, IRQ));
    qc_clock_step(q, 2000);
    g_assert_true(qc_irq(q, IRQ));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0xcc);
    g_assert_cmphex(qc_readb(q, RBR), ==, '1');
    g_assert_false(qc_irq(q, IRQ));
    send("89");
    UNTIL(qc_irq(q, IRQ) || (qc_readb(q, SCR), false));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0xc4);

    state = qc_save(q);
    for (char c = '2'; c <= '9'; c++)
        g_assert_cmphex(qc_readb(q, RBR), ==, c);
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x60);
    qc_load(q, state);
    g_assert_cmphex(qc_readb(q, IIR), ==, 0xc4);
    for (char c = '2'; c <= '9'; c++)
        g_assert_cmphex(qc_readb(q, RBR), ==, c);
    g_free(state);

    /* more than fits waits outside, nothing is lost */
    send("abcdefghijklmnopqrstuvwxyz");
    for (char c = 'a'; c <= 'z'; c++) {
        UNTIL(qc_readb(q, LSR) & 1);
        g_assert_cmphex(qc_readb(q, RBR), ==, c);
    }
    send("zz");
    UNTIL(qc_readb(q, LSR) & 1);
    qc_writeb(q, FCR, 0x83);
    qc_writeb(q, FCR, 0);
    qc_writeb(q, IER, 0);
    qc_readb(q, RBR);
    qc_readb(q, RBR);
}

static void test_loopback(void)
{
    qc_reset(q);
    qc_writeb(q, MCR, 0x10);
    g_assert_cmphex(qc_readb(q, MSR), ==, 0x0b); /* all lines fell */
    g_assert_cmphex(qc_readb(q, MSR), ==, 0x00);
    qc_writeb(q, MCR, 0x1f);
    g_assert_cmphex(qc_readb(q, MSR), ==, 0xfb); /* a ring that begins does not count */
    qc_writeb(q, IER, 8);
    qc_writeb(q, MCR, 0x1b); /* one that ends does */
    g_assert_true(qc_irq(q, IRQ));
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x00);
    g_assert_cmphex(qc_readb(q, MSR), ==, 0xb4);
    g_assert_false(qc_irq(q, IRQ));

    qc_writeb(q, LCR, 3);
    qc_writeb(q, IER, 5);
    qc_writeb(q, THR, 0xa5);
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x61);
    qc_writeb(q, THR, 0xa6); /* nobody took the first */
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x06);
    g_assert_cmphex(qc_readb(q, LSR), ==, 0x63);
    g_assert_cmphex(qc_readb(q, IIR), ==, 0x04);
    g_assert_cmphex(qc_readb(q, RBR), ==, 0xa6);
    qc_writeb(q, LCR, 0); /* five bits a character */
    qc_writeb(q, THR, 0xff);
    g_assert_cmphex(qc_readb(q, RBR), ==, 0x1f);
    qc_reset(q);
    g_assert_cmphex(qc_readb(q, MSR), ==, 0xb0);
    g_assert_false(qc_irq(q, IRQ));
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    q = qc_start("-machine virt -arch riscv64");
    qc_intercept(q, "/machine/plic", false);
    g_test_add_func("/uart/registers", test_registers);
    g_test_add_func("/uart/send", test_send);
    g_test_add_func("/uart/receive-one", test_receive_one);
    g_test_add_func("/uart/fifo", test_fifo);
    g_test_add_func("/uart/loopback", test_loopback);
    r = g_test_run();
    qc_stop(q);
    return r;
}
