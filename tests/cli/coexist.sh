#!/usr/bin/env bash
# With the provider active, in either order, everything else loads and fails exactly as without it.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Error lines begin with the thread's number, which is another one each time.
normalised_errors() {
    sed 's/^[0-9A-F]*:error:/error:/' "$ERR"
}

# same SENTENCE ok|fails SUBCOMMAND ARGUMENTS...: exit status, output and errors with the default
# provider alone, and with both in either order.
same() {
    local sentence=$1 expected=$2 order status

    shift 2
    PROVIDER_OPTIONS=(-provider default)
    run schannel_openssl "$@"
    cp "$OUT" plain.out
    normalised_errors >plain.err
    status=$STATUS
    if crashed || { [ "$expected" = ok ] && [ "$status" -ne 0 ]; } ||
        { [ "$expected" = fails ] && { [ "$status" -eq 0 ] || [ ! -s plain.err ]; }; }; then
        fail "$sentence" "without the provider it should be: $expected"
        return
    fi
    for order in "default schannel" "schannel default"; do
        read -r first second <<<"$order"
        PROVIDER_OPTIONS=(-provider-path "$MODULE_DIR" -provider "$first" -provider "$second")
        run schannel_openssl "$@"
        normalised_errors >with.err
        if [ "$STATUS" -ne "$status" ]; then
            fail "$sentence ($order)" "exit status $STATUS instead of $status"
        elif ! cmp -s "$OUT" plain.out; then
            fail "$sentence ($order)" "the output differs"
        elif ! cmp -s with.err plain.err; then
            fail "$sentence ($order)" "the errors differ from: $(cat plain.err)"
        else
            pass "$sentence ($order)"
        fi
    done
}

# make COMMAND...: material, by OpenSSL alone.
make() {
    plain_openssl "$@" </dev/null 2>"$ERR" || bail "openssl $*"
}

printf '[req]\ndistinguished_name = dn\n[dn]\n' >req.cnf
make genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
make genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsa-pss.pem
make genpkey -algorithm EC -pkeyopt group:P-256 -out ec.pem
make genpkey -algorithm ED25519 -out ed25519.pem
make genpkey -algorithm X25519 -out x25519.pem
make genpkey -genparam -algorithm EC -pkeyopt group:P-256 -out ec-parameters.pem
make genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh-parameters.pem
# the one size that MSBLOB has
make genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 \
    -pkeyopt dsa_paramgen_q_bits:160 -out dsa-parameters.pem
make genpkey -paramfile dsa-parameters.pem -out dsa.pem
for name in rsa ec ed25519 dsa; do
    make pkey -in "$name.pem" -outform DER -out "$name.der"
    make pkey -in "$name.pem" -pubout -out "$name.pub.pem"
    make pkey -in "$name.pem" -pubout -outform DER -out "$name.pub.der"
    make pkcs8 -topk8 -in "$name.pem" -passout pass:right -out "$name.p8.pem"
    make pkcs8 -topk8 -in "$name.pem" -passout pass:right -outform DER -out "$name.p8.der"
    make req -x509 -new -key "$name.pem" -subj "/CN=$name.example" -days 3650 -config req.cnf \
        -out "$name.cert.pem"
    make req -new -key "$name.pem" -subj "/CN=$name.example" -config req.cnf -out "$name.req.pem"
    make x509 -in "$name.cert.pem" -outform DER -out "$name.cert.der"
    make pkcs12 -export -inkey "$name.pem" -in "$name.cert.pem" -passout pass:right -out "$name.p12"
done
make rsa -in rsa.pem -traditional -out rsa.trad.pem
make rsa -in rsa.pem -traditional -outform DER -out rsa.trad.der
make rsa -in rsa.pem -traditional -des3 -passout pass:right -out rsa.des3.pem
make rsa -in rsa.pem -RSAPublicKey_out -out rsa.pkcs1.pub.pem
# MSBLOB is CryptoAPI's PRIVATEKEYBLOB and PUBLICKEYBLOB; PVK is Microsoft's file around it.
for name in rsa dsa; do
    make "$name" -in "$name.pem" -outform MSBLOB -out "$name.msblob"
    make "$name" -in "$name.pem" -pubout -outform MSBLOB -out "$name.pub.msblob"
    make "$name" -in "$name.pem" -outform PVK -pvk-none -out "$name.pvk"
done
make dsa -in dsa.pem -out dsa.trad.pem
make ec -in ec.pem -out ec.trad.pem
make ec -in ec.pem -des3 -passout pass:right -out ec.des3.pem

# ---- loading ----

for file in rsa.pem rsa-pss.pem rsa.der rsa.trad.pem rsa.trad.der ec.pem ec.der ec.trad.pem \
    ed25519.pem ed25519.der x25519.pem dsa.pem dsa.der dsa.trad.pem rsa.msblob dsa.msblob rsa.pvk \
    dsa.pvk; do
    same "the private key $file loads as before" ok pkey -in "$file" -text
done
same "-inform DER works for them as before" ok pkey -in rsa.der -inform DER
for file in rsa.pub.pem rsa.pub.der rsa.pkcs1.pub.pem ec.pub.pem ec.pub.der ed25519.pub.pem \
    ed25519.pub.der dsa.pub.pem dsa.pub.der rsa.pub.msblob dsa.pub.msblob; do
    same "the public key $file loads as before" ok pkey -pubin -in "$file" -text
done
for file in rsa.p8.pem rsa.p8.der rsa.des3.pem rsa.p12 ec.p8.pem ec.p8.der ec.des3.pem ec.p12 \
    ed25519.p8.pem ed25519.p8.der ed25519.p12 dsa.p8.pem dsa.p8.der dsa.p12; do
    same "the encrypted key $file loads as before" ok pkey -in "$file" -passin pass:right -text
    same "with a wrong password, $file fails as before" fails \
        pkey -in "$file" -passin pass:wrong -text
done
same "without a password, an encrypted key fails as before" fails pkey -in rsa.p8.pem -passin pass:
for name in rsa ec ed25519 dsa; do
    for form in pem der; do
        same "the certificate $name.cert.$form loads as before" ok \
            x509 -in "$name.cert.$form" -text
        same "storeutl lists the certificate $name.cert.$form as before" ok \
            storeutl -certs "$name.cert.$form"
    done
    same "the request $name.req.pem is verified as before" ok req -in "$name.req.pem" -noout -verify \
        -config req.cnf
    same "the certificate of $name.p12 is shown as before" ok \
        pkcs12 -in "$name.p12" -passin pass:right -nokeys
    same "a wrong password for $name.p12 fails as before" fails \
        pkcs12 -in "$name.p12" -passin pass:wrong -nokeys
    same "storeutl lists $name.p12 as before" ok storeutl -passin pass:right "$name.p12"
done
for name in rsa dsa; do
    same "$name reads MSBLOB by its name as before" ok "$name" -inform MSBLOB -in "$name.msblob"
    same "$name reads PVK by its name as before" ok "$name" -inform PVK -in "$name.pvk"
    same "storeutl lists $name.msblob as before" ok storeutl "$name.msblob"
done
same "rsa reads a traditional encrypted key as before" ok rsa -in rsa.des3.pem -passin pass:right
same "ec reads a traditional encrypted key as before" ok ec -in ec.des3.pem -passin pass:right
same "EC parameters are read as before" ok pkeyparam -in ec-parameters.pem -text
same "DH parameters are read as before" ok pkeyparam -in dh-parameters.pem -text
cat rsa.cert.pem rsa.pem ec.p8.pem ec.cert.pem >mixed.pem
for option in -certs -keys; do
    run plain_openssl storeutl -passin pass:right "$option" mixed.pem
    if [ "$STATUS" -eq 0 ]; then expected=ok; else expected=fails; fi
    same "storeutl $option finds in a mixed file what it did before" "$expected" \
        storeutl -passin pass:right "$option" mixed.pem
done

# ---- what does not load ----

: >empty
printf 'neither PEM nor DER\n' >text
perl -e 'print map { chr($_ * 37 % 256) } 1 .. 700' >noise
head -c 100 rsa.der >cut.der
head -c 100 rsa.msblob >cut.msblob
head -c 100 dsa.pvk >cut.pvk
head -5 rsa.pem >cut.pem
sed '3s/^..../****/' rsa.pem >bad.pem
{
    echo '-----BEGIN PRIVATE KEY-----'
    plain_openssl base64 -in noise
    echo '-----END PRIVATE KEY-----'
} >noise.pem
{
    echo '-----BEGIN SOMETHING ELSE-----'
    plain_openssl base64 -in rsa.der
    echo '-----END SOMETHING ELSE-----'
} >else.pem
unhex 0702000000a4000052534132000400000100010001020304 >cut.msblob
for file in missing empty text noise cut.der cut.msblob cut.pvk cut.pem bad.pem noise.pem else.pem cut.msblob \
    rsa.cert.pem; do
    same "$file is no private key, as before" fails pkey -in "$file"
done
same "a key is no certificate, as before" fails x509 -in rsa.pem -noout
same "EC parameters are no private key, as before" fails pkey -in ec-parameters.pem

# ---- working with what was loaded: encryption and signatures are random or not, results are not ----

printf 'to be signed' >message
make dgst -sha256 -sign rsa.pem -out rsa.sig message
make dgst -sha256 -sign ec.pem -out ec.sig message
same "an RSA signature is made as before" ok dgst -sha256 -hex -sign rsa.pem message
same "an RSA signature verifies as before" ok dgst -sha256 -verify rsa.pub.pem -signature rsa.sig message
same "an EC signature verifies as before" ok dgst -sha256 -verify ec.pub.pem -signature ec.sig message
same "a wrong signature fails as before" fails dgst -sha256 -verify ec.pub.pem -signature rsa.sig message
same "certificates verify as before" ok verify -CAfile rsa.cert.pem rsa.cert.pem
make rand -out secret 32
make pkeyutl -encrypt -pubin -inkey rsa.pub.pem -in secret -out sealed
same "RSA decrypts as before" ok pkeyutl -decrypt -inkey rsa.pem -in sealed
same "AES-128-CBC encrypts as before" ok enc -aes-128-cbc -K "$(hex_range 0 15)" \
    -iv "$(hex_range 0 15)" -in message
same "SHA256 is as before" ok dgst -sha256 message

for order in "default schannel" "schannel default"; do
    read -r first second <<<"$order"
    PROVIDER_OPTIONS=(-provider-path "$MODULE_DIR" -provider "$first" -provider "$second")
    expect_ok "genpkey -paramfile makes an EC key from parameters ($order)" \
        schannel_openssl genpkey -paramfile ec-parameters.pem -out new.pem
    run schannel_openssl pkey -in new.pem -noout -text
    expect_line "which is one ($order)" 'NIST CURVE: P-256'
    expect_ok "our own keys are made ($order)" \
        schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -out ours.pem
    expect_ok "and read ($order)" schannel_openssl pkey -in ours.pem -noout -text
    expect_line "as what they are ($order)" 'SCHANNEL Key: RC4 .*'
done

finish
