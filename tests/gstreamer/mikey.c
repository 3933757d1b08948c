/* GStreamer's MIKEY, for tests to compare with. Octets are in hexadecimal, numbers in decimal.
 *
 *   mikey read OCTETS           says what GStreamer reads in a message, a fact a line
 *   mikey caps OCTETS           says which SRTP caps GStreamer makes of it
 *   mikey offer CIPHER AUTH KEY SSRC ROC
 *                               makes a message of SRTP caps, as rtspclientsink does
 *   mikey build                 makes a message of all that GStreamer's interface can set
 */
#include <gst/gst.h>
#include <gst/sdp/gstmikey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void print_octets(const char *name, const guint8 *octets, gsize len)
{
    printf("%s ", name);
    for (gsize at = 0; at < len; at++)
        printf("%02x", octets[at]);
    printf("\n");
}

static GBytes *parse_octets(const char *text)
{
    gsize len = strlen(text) / 2;
    guint8 *octets = g_malloc(len + 1);
    for (gsize at = 0; at < len; at++) {
        unsigned octet;
        if (sscanf(text + 2 * at, "%2x", &octet) != 1)
            fail("not hexadecimal");
        octets[at] = (guint8)octet;
    }
    return g_bytes_new_take(octets, len);
}

static GstMIKEYMessage *read_message(const char *text)
{
    GError *error = NULL;
    GBytes *octets = parse_octets(text);
    GstMIKEYMessage *message = gst_mikey_message_new_from_bytes(octets, NULL, &error);
    g_bytes_unref(octets);
    if (message == NULL)
        fail(error == NULL ? "refused" : error->message);
    return message;
}

static void print_key(const GstMIKEYPayload *payload)
{
    const GstMIKEYPayloadKeyData *key = (const GstMIKEYPayloadKeyData *)payload;
    printf("key type %d validity %d\n", key->key_type, key->kv_type);
    print_octets("key", key->key_data, key->key_len);
    print_octets("salt", key->salt_data, key->salt_len);
    if (key->kv_type == GST_MIKEY_KV_SPI)
        print_octets("spi", key->kv_data[0], key->kv_len[0]);
    if (key->kv_type == GST_MIKEY_KV_INTERVAL) {
        print_octets("from", key->kv_data[0], key->kv_len[0]);
        print_octets("to", key->kv_data[1], key->kv_len[1]);
    }
}

static void print_payload(const GstMIKEYPayload *payload)
{
    switch (payload->type) {
    case GST_MIKEY_PT_T: {
        const GstMIKEYPayloadT *time = (const GstMIKEYPayloadT *)payload;
        printf("T type %d\n", time->type);
        print_octets("time", time->ts_value, time->type == GST_MIKEY_TS_TYPE_COUNTER ? 4 : 8);
        break;
    }
    case GST_MIKEY_PT_RAND: {
        const GstMIKEYPayloadRAND *rand = (const GstMIKEYPayloadRAND *)payload;
        print_octets("RAND", rand->rand, rand->len);
        break;
    }
    case GST_MIKEY_PT_SP: {
        const GstMIKEYPayloadSP *policy = (const GstMIKEYPayloadSP *)payload;
        printf("SP policy %u protocol %d\n", policy->policy, policy->proto);
        for (guint at = 0; at < gst_mikey_payload_sp_get_n_params(payload); at++) {
            const GstMIKEYPayloadSPParam *parameter = gst_mikey_payload_sp_get_param(payload, at);
            printf("parameter %d ", parameter->type);
            print_octets("value", parameter->val, parameter->len);
        }
        break;
    }
    case GST_MIKEY_PT_KEMAC: {
        const GstMIKEYPayloadKEMAC *kemac = (const GstMIKEYPayloadKEMAC *)payload;
        printf("KEMAC encryption %d mac %d\n", kemac->enc_alg, kemac->mac_alg);
        for (guint at = 0; at < gst_mikey_payload_kemac_get_n_sub(payload); at++)
            print_key(gst_mikey_payload_kemac_get_sub(payload, at));
        break;
    }
    default:
        printf("payload %d\n", payload->type);
    }
}

static void print_message(const GstMIKEYMessage *message)
{
    printf("HDR version %d type %d V %d PRF %d CSB %u map %d\n", message->version, message->type, message->V,
           message->prf_func, message->CSB_id, message->map_type);
    for (guint at = 0; at < gst_mikey_message_get_n_cs(message); at++) {
        const GstMIKEYMapSRTP *session = gst_mikey_message_get_cs_srtp(message, at);
        printf("CS policy %d SSRC %u ROC %u\n", session->policy, session->ssrc, session->roc);
    }
    for (guint at = 0; at < gst_mikey_message_get_n_payloads(message); at++)
        print_payload(gst_mikey_message_get_payload(message, at));
}

static void print_caps(const GstMIKEYMessage *message)
{
    GstCaps *caps = gst_caps_new_empty_simple("application/x-srtp");
    if (!gst_mikey_message_to_caps(message, caps))
        fail("no caps");
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    for (gint at = 0; at < gst_structure_n_fields(fields); at++) {
        const char *name = gst_structure_nth_field_name(fields, at);
        const GValue *value = gst_structure_get_value(fields, name);
        if (GST_VALUE_HOLDS_BUFFER(value)) {
            GstMapInfo map;
            gst_buffer_map(gst_value_get_buffer(value), &map, GST_MAP_READ);
            print_octets(name, map.data, map.size);
        } else {
            gchar *text = gst_value_serialize(value);
            printf("%s %s\n", name, text);
            g_free(text);
        }
    }
}

static void print_built(GstMIKEYMessage *message)
{
    if (message == NULL)
        fail("no message");
    GError *error = NULL;
    GBytes *octets = gst_mikey_message_to_bytes(message, NULL, &error);
    if (octets == NULL)
        fail(error == NULL ? "cannot be written" : error->message);
    gsize len;
    const guint8 *data = g_bytes_get_data(octets, &len);
    print_octets("octets", data, len);
    printf("base64 %s\n", gst_mikey_message_base64_encode(message));
}

static GstMIKEYMessage *offer(char **arguments)
{
    GBytes *key = parse_octets(arguments[2]);
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(key);
    GstCaps *caps = gst_caps_new_simple(
        "application/x-srtp", "srtp-key", GST_TYPE_BUFFER, buffer, "ssrc", G_TYPE_UINT, (guint)atol(arguments[3]),
        "roc", G_TYPE_UINT, (guint)atol(arguments[4]), "srtp-cipher", G_TYPE_STRING, arguments[0], "srtp-auth",
        G_TYPE_STRING, arguments[1], "srtcp-cipher", G_TYPE_STRING, arguments[0], "srtcp-auth", G_TYPE_STRING,
        arguments[1], NULL);
    return gst_mikey_message_new_from_caps(caps);
}

static void add_key(GstMIKEYPayload *kemac, GstMIKEYKeyDataType type, const char *key, const char *salt,
                    const char *spi)
{
    GstMIKEYPayload *payload = gst_mikey_payload_new(GST_MIKEY_PT_KEY_DATA);
    gst_mikey_payload_key_data_set_key(payload, type, strlen(key), (const guint8 *)key);
    if (salt != NULL)
        gst_mikey_payload_key_data_set_salt(payload, strlen(salt), (const guint8 *)salt);
    if (spi != NULL)
        gst_mikey_payload_key_data_set_spi(payload, strlen(spi), (const guint8 *)spi);
    else
        gst_mikey_payload_key_data_set_interval(payload, 6, (const guint8 *)"\0\0\0\0\0\1", 6,
                                                (const guint8 *)"\0\0\0\0\1\0");
    gst_mikey_payload_kemac_add_sub(kemac, payload);
}

static GstMIKEYMessage *build(void)
{
    GstMIKEYMessage *message = gst_mikey_message_new();
    gst_mikey_message_set_info(message, GST_MIKEY_VERSION, GST_MIKEY_TYPE_PSK_INIT, TRUE, GST_MIKEY_PRF_MIKEY_1,
                               0x12345678, GST_MIKEY_MAP_TYPE_SRTP);
    gst_mikey_message_add_cs_srtp(message, 1, 0x11223344, 5);
    gst_mikey_message_add_cs_srtp(message, 1, 0, 0);
    gst_mikey_message_add_t(message, GST_MIKEY_TS_TYPE_NTP, (const guint8 *)"\xd6\xb4\x32\x32\x80\0\0\1");
    gst_mikey_message_add_rand(message, 16, (const guint8 *)"sixteen octets..");
    GstMIKEYPayload *policy = gst_mikey_payload_new(GST_MIKEY_PT_SP);
    gst_mikey_payload_sp_set(policy, 1, GST_MIKEY_SEC_PROTO_SRTP);
    gst_mikey_payload_sp_add_param(policy, GST_MIKEY_SP_SRTP_ENC_KEY_LEN, 1, (const guint8 *)"\x10");
    gst_mikey_payload_sp_add_param(policy, GST_MIKEY_SP_SRTP_SALT_KEY_LEN, 1, (const guint8 *)"\x0e");
    gst_mikey_message_add_payload(message, policy);
    GstMIKEYPayload *kemac = gst_mikey_payload_new(GST_MIKEY_PT_KEMAC);
    gst_mikey_payload_kemac_set(kemac, GST_MIKEY_ENC_NULL, GST_MIKEY_MAC_NULL);
    add_key(kemac, GST_MIKEY_KD_TGK, "a key to generate", NULL, "mki1");
    add_key(kemac, GST_MIKEY_KD_TEK, "key of the media", "and their salt", NULL);
    gst_mikey_message_add_payload(message, kemac);
    return message;
}

int main(int count, char **arguments)
{
    gst_init(NULL, NULL);
    const char *verb = count > 1 ? arguments[1] : "";
    if (strcmp(verb, "read") == 0 && count == 3)
        print_message(read_message(arguments[2]));
    else if (strcmp(verb, "caps") == 0 && count == 3)
        print_caps(read_message(arguments[2]));
    else if (strcmp(verb, "offer") == 0 && count == 7)
        print_built(offer(arguments + 2));
    else if (strcmp(verb, "build") == 0 && count == 2)
        print_built(build());
    else
        fail("usage: mikey read OCTETS | caps OCTETS | offer CIPHER AUTH KEY SSRC ROC | build");
    return 0;
}
