/* The operations of `mikey-sakke speed`, as wolfSSL does them: the median processor time of many runs of each, on one
 * thread, as JSON of the same shape.
 *
 *     apt-get install libwolfssl-dev
 *     cc -O2 benches/peer/wolfssl.c -lwolfssl -o wolfssl-speed
 *     ./wolfssl-speed [SECONDS]
 *
 * SECONDS, 1 without it, is spent on each operation.
 *
 * Debian builds wolfSSL with a cache of points (FP_ECC): a point that comes again gets a table. Encapsulation to one
 * recipient and verification of one signature are timed at their best, with all their points in the cache; names that
 * end in _new are the same for recipients and signers who come for the first time. The cache is emptied before each
 * measurement, as what other operations leave in it slows the next.
 *
 * wolfSSL is under the GPL. This program is a peer to measure against, is built and run by itself, and nothing of
 * wolfSSL is part of mikey-sakke or linked to it. */

#include <wolfssl/options.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/eccsi.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sakke.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ID_SIZE = 32,
    SSV_SIZE = 16,
    MESSAGE_SIZE = 512,
    /* More than the cache has places (FP_ENTRIES, 15), so that a signer who comes round again is a stranger. */
    SIGNERS = 64,
    FEWEST_SAMPLES = 5,
    MOST_SAMPLES = 1 << 20
};

/* A sample takes at least this long, so that reading the clock does not count. */
static const double SHORTEST_SAMPLE_NS = 200e3;

static struct {
    WC_RNG rng;
    SakkeKey sakke;
    ecc_point *rsk;
    byte ssv[SSV_SIZE];
    byte sed[300];
    word16 sed_size;
    EccsiKey eccsi;
    mp_int ssk;
    ecc_point *pvt;
    byte message[MESSAGE_SIZE];
    struct signer {
        byte id[ID_SIZE];
        byte signature[160];
        word32 signature_size;
    } signers[SIGNERS];
} bench;

static void require(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "wolfSSL refused to %s: error %d\n", what, error);
        exit(1);
    }
}

/* Alice, whose keys were validated. */
static const byte alice[ID_SIZE] = { 'a', 'l', 'i', 'c', 'e' };

/* An identity that was not seen before. */
static void stranger(byte id[ID_SIZE])
{
    static unsigned count;
    memset(id, 0x75, ID_SIZE);
    count++;
    memcpy(id, &count, sizeof count);
}

static void sakke_extract(void)
{
    byte id[ID_SIZE];
    stranger(id);
    require(wc_MakeSakkeRsk(&bench.sakke, id, ID_SIZE, bench.rsk), "extract an RSK");
}

static void sakke_validate(void)
{
    int valid = 0;
    require(wc_ValidateSakkeRsk(&bench.sakke, alice, ID_SIZE, bench.rsk, &valid), "validate an RSK");
    require(!valid, "accept its RSK");
}

static void encapsulate_to(const byte id[ID_SIZE])
{
    /* The call encrypts the SSV in place. */
    memset(bench.ssv, 0x5a, SSV_SIZE);
    bench.sed_size = sizeof bench.sed;
    require(wc_SetSakkeIdentity(&bench.sakke, id, ID_SIZE), "set an identity");
    require(wc_MakeSakkeEncapsulatedSSV(&bench.sakke, WC_HASH_TYPE_SHA256, bench.ssv, SSV_SIZE, bench.sed,
                                        &bench.sed_size), "encapsulate");
}

static void sakke_encapsulate(void)
{
    encapsulate_to(alice);
}

static void sakke_encapsulate_new(void)
{
    byte id[ID_SIZE];
    stranger(id);
    encapsulate_to(id);
}

static void sakke_decapsulate(void)
{
    byte ssv[SSV_SIZE];
    memcpy(ssv, bench.ssv, SSV_SIZE);
    require(wc_DeriveSakkeSSV(&bench.sakke, WC_HASH_TYPE_SHA256, ssv, SSV_SIZE, bench.sed, bench.sed_size),
            "decapsulate");
}

static void make_pair(const byte id[ID_SIZE])
{
    require(wc_MakeEccsiPair(&bench.eccsi, &bench.rng, WC_HASH_TYPE_SHA256, id, ID_SIZE, &bench.ssk, bench.pvt),
            "extract a key pair");
}

static void eccsi_extract(void)
{
    byte id[ID_SIZE];
    stranger(id);
    make_pair(id);
}

static void eccsi_validate(void)
{
    int valid = 0;
    require(wc_ValidateEccsiPair(&bench.eccsi, WC_HASH_TYPE_SHA256, alice, ID_SIZE, &bench.ssk, bench.pvt, &valid),
            "validate a key pair");
    require(!valid, "accept its key pair");
}

static void set_identity_hash(const byte id[ID_SIZE], ecc_point *pvt)
{
    byte hash[WC_MAX_DIGEST_SIZE], hash_size;
    require(wc_HashEccsiId(&bench.eccsi, WC_HASH_TYPE_SHA256, id, ID_SIZE, pvt, hash, &hash_size), "hash an identity");
    require(wc_SetEccsiHash(&bench.eccsi, hash, hash_size), "set a hash");
}

static void sign_into(struct signer *signer)
{
    signer->signature_size = sizeof signer->signature;
    require(wc_SignEccsiHash(&bench.eccsi, &bench.rng, WC_HASH_TYPE_SHA256, bench.message, MESSAGE_SIZE,
                             signer->signature, &signer->signature_size), "sign");
}

static void eccsi_sign(void)
{
    struct signer scratch;
    sign_into(&scratch);
}

static void verify(const struct signer *signer)
{
    int valid = 0;
    require(wc_DecodeEccsiPvtFromSig(&bench.eccsi, signer->signature, signer->signature_size, bench.pvt),
            "read a PVT");
    set_identity_hash(signer->id, bench.pvt);
    require(wc_VerifyEccsiHash(&bench.eccsi, WC_HASH_TYPE_SHA256, bench.message, MESSAGE_SIZE, signer->signature,
                               signer->signature_size, &valid), "verify");
    require(!valid, "accept its signature");
}

static void eccsi_verify(void)
{
    verify(&bench.signers[0]);
}

static void eccsi_verify_new(void)
{
    static unsigned turn;
    verify(&bench.signers[turn++ % SIGNERS]);
}

/* What a KMS makes for one user: RSK, SSK and PVT. wolfSSL has no batches. */
static void key_set_batch(void)
{
    sakke_extract();
    eccsi_extract();
}

static double now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static double sample_ns(void (*operation)(void), unsigned runs)
{
    double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned run = 0; run < runs; run++)
        operation();
    return now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, void (*operation)(void), double seconds)
{
    static double samples[MOST_SAMPLES];
    static const char *separator = "";
    unsigned runs = 1, count = 0;
    wc_ecc_fp_free();
    operation();
    operation();
    while (sample_ns(operation, runs) < SHORTEST_SAMPLE_NS)
        runs *= 2;
    double start = now_ns(CLOCK_MONOTONIC);
    while (count < FEWEST_SAMPLES || (count < MOST_SAMPLES && now_ns(CLOCK_MONOTONIC) - start < seconds * 1e9))
        samples[count++] = sample_ns(operation, runs) / runs;
    qsort(samples, count, sizeof samples[0], by_value);
    double median = samples[count / 2];
    printf("%s{\"name\":\"%s\",\"ns_per_op\":%.1f,\"ops_per_s\":%.3f}", separator, name, median, 1e9 / median);
    separator = ",";
}

static void print_cpu(void)
{
    char line[256], *name = NULL;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !name && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && (name = strchr(line, ':')) != NULL) {
            name += 2;
            name[strcspn(name, "\n\"\\")] = 0;
        }
    if (file)
        fclose(file);
    printf("\"cpu\":\"%s\"", name ? name : "unknown");
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    if (argc > 2 || !(seconds > 0)) {
        fprintf(stderr, "usage: wolfssl-speed [SECONDS]\n");
        return 2;
    }

    require(wc_InitRng(&bench.rng), "start its random numbers");
    require(wc_InitSakkeKey_ex(&bench.sakke, 128, ECC_SAKKE_1, NULL, INVALID_DEVID), "set up SAKKE");
    require(wc_MakeSakkeKey(&bench.sakke, &bench.rng), "make a SAKKE master key");
    require(wc_InitEccsiKey(&bench.eccsi, NULL, INVALID_DEVID), "set up ECCSI");
    require(wc_MakeEccsiKey(&bench.eccsi, &bench.rng), "make an ECCSI master key");
    require(mp_init(&bench.ssk), "set up a number");
    bench.rsk = wc_ecc_new_point();
    bench.pvt = wc_ecc_new_point();
    require(!bench.rsk || !bench.pvt, "allocate points");

    printf("{\"backend\":\"wolfSSL %s\",", LIBWOLFSSL_VERSION_STRING);
    print_cpu();
    printf(",\"ops\":[");

    measure("sakke_extract", sakke_extract, seconds);
    measure("key_set_batch", key_set_batch, seconds);
    require(wc_MakeSakkeRsk(&bench.sakke, alice, ID_SIZE, bench.rsk), "extract an RSK");
    measure("sakke_validate", sakke_validate, seconds);
    measure("sakke_encapsulate_new", sakke_encapsulate_new, seconds);
    measure("sakke_encapsulate", sakke_encapsulate, seconds);
    require(wc_SetSakkeRsk(&bench.sakke, bench.rsk, NULL, 0), "set an RSK");
    measure("sakke_decapsulate", sakke_decapsulate, seconds);

    measure("eccsi_extract", eccsi_extract, seconds);
    for (unsigned i = 0; i < SIGNERS; i++) {
        struct signer *signer = &bench.signers[i];
        stranger(signer->id);
        make_pair(signer->id);
        set_identity_hash(signer->id, bench.pvt);
        require(wc_SetEccsiPair(&bench.eccsi, &bench.ssk, bench.pvt), "set a key pair");
        sign_into(signer);
    }
    measure("eccsi_sign", eccsi_sign, seconds);
    make_pair(alice);
    measure("eccsi_validate", eccsi_validate, seconds);
    measure("eccsi_verify", eccsi_verify, seconds);
    measure("eccsi_verify_new", eccsi_verify_new, seconds);

    printf("]}\n");
    return 0;
}
