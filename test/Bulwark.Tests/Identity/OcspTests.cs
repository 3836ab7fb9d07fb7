using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

/// <summary>What a responder says counts only when its issuer, or whom the issuer named for it, said it about this certificate, now.</summary>
public sealed class OcspTests
{
    private const string SigningPurpose = "1.3.6.1.5.5.7.3.9";
    private static readonly X509Extension s_noCheck = new("1.3.6.1.5.5.7.48.1.5", [5, 0], critical: false);
    private static readonly X509Certificate2 s_root = CertificateForge.Authority().Make();
    private static readonly X509Certificate2 s_client = new CertificateForge { Issuer = s_root }.Make();
    private static readonly X509Certificate2 s_responder = new CertificateForge { Name = "responder", Issuer = s_root, Purpose = SigningPurpose, Extra = s_noCheck }.Make();
    private static readonly byte[] s_nonce = [1, 2, 3, 4];
    private readonly OcspForge _good = new() { Signer = s_responder, Issuer = s_root, Certificate = s_client, Nonce = s_nonce };

    [Theory, InlineData(0, CertificateVerdict.Trusted), InlineData(1, CertificateVerdict.Revoked), InlineData(2, CertificateVerdict.RevocationUnknown)]
    public void The_issuers_or_its_responders_word_counts(int status, CertificateVerdict verdict)
    {
        Assert.Equal(verdict, Read(_good with { Status = status }).Verdict);
        Assert.Equal(verdict, Read(_good with { Status = status, NamesSignerByKey = true }).Verdict);
        Assert.Equal(verdict, Read(_good with { Status = status, Signer = s_root, ShowsCertificate = false }).Verdict);
    }

    [Fact]
    public void What_is_not_said_by_the_right_one_about_this_one_now_is_refused_by_name()
    {
        X509Certificate2 Responder(string purpose = SigningPurpose, X509Certificate2? issuer = null, X509Extension? extra = null, bool old = false) =>
            new CertificateForge { Name = "responder", Issuer = issuer ?? s_root, Purpose = purpose, Extra = extra ?? s_noCheck, Until = old ? CertificateForge.Now.AddHours(-1) : CertificateForge.Now.AddDays(1) }.Make();
        (OcspForge Answer, string Says)[] bad =
        [
            (_good with { ResponseStatus = 6 }, "status 6"),
            (_good with { IsBent = true }, ""),
            (_good with { ShowsCertificate = false }, "nobody known"),
            (_good with { Signer = Responder(CertificateForge.ClientPurpose) }, "not for signing"),
            (_good with { Signer = Responder(issuer: CertificateForge.Authority().Make()) }, "not of the certificate's issuer"),
            (_good with { Signer = Responder(extra: new X509Extension("1.2.3", [5, 0], critical: false)) }, "nocheck"),
            (_good with { Signer = Responder(extra: new X509Extension("1.2.3", [5, 0], critical: true)) }, "critical extension"),
            (_good with { Signer = Responder(old: true) }, "not valid now"),
            (_good with { Signer = s_client }, "not for signing"),
            (_good with { Certificate = s_responder }, "not about this certificate"),
            (_good with { Issuer = CertificateForge.Authority().Make() }, "not about this certificate"),
            (_good with { Nonce = [4, 3, 2, 1] }, "nonce"),
            (_good with { Nonce = null }, "nonce"),
            (_good with { CriticalExtension = "1.2.3" }, "critical extension"),
            (_good with { ProducedAt = OcspForge.Now.AddMinutes(2) }, "future"),
            (_good with { ThisUpdate = OcspForge.Now.AddMinutes(2) }, "dates"),
            (_good with { NextUpdate = OcspForge.Now.AddHours(-1) }, "dates"),
        ];
        foreach (var (answer, says) in bad)
            Assert.Contains(says, Assert.Throws<InvalidDataException>(() => Read(answer)).Message, StringComparison.Ordinal);
        Assert.Equal(CertificateVerdict.Trusted, Read(_good with { Nonce = null }, nonce: null).Verdict);
        var whole = _good.Make();
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<InvalidDataException>(() => OcspAnswer.Read(whole.AsMemory(0, length), Question(s_nonce), OcspForge.Now));
        for (var at = 0; at < whole.Length; at++)   // whatever is bent, nothing else is ever thrown
        {
            byte[] bent = [.. whole];
            bent[at] ^= 0x21;
            _ = Record.Exception(() => OcspAnswer.Read(bent, Question(s_nonce), OcspForge.Now)) is { } fault ? Assert.IsType<InvalidDataException>(fault) : null;
        }
    }

    [Fact]
    public async Task An_answer_is_kept_fetched_beside_requests_and_awaited_when_it_is_old()
    {
        var (time, responder) = (new FakeTimeProvider(OcspForge.Now), new Responder(this));
        using var statuses = Statuses(time, responder);
        Assert.Equal(CertificateVerdict.Trusted, (await AskAsync(statuses)).Verdict);
        Assert.Equal(OcspForge.Now.AddMinutes(5), (await AskAsync(statuses)).Until);
        Assert.Equal(1, responder.Asked);
        responder.Status = 1;
        time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(CertificateVerdict.Trusted, (await AskAsync(statuses)).Verdict);   // once more, while it is asked anew
        for (var limit = 0; (await AskAsync(statuses)).Verdict != CertificateVerdict.Revoked; limit++)
        {
            Assert.InRange(limit, 0, 1000);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        responder.Status = 0;
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(CertificateVerdict.Trusted, (await AskAsync(statuses)).Verdict);   // older than twice the time: it waits for the new one
    }

    [Fact]
    public async Task A_responder_that_is_away_leaves_what_it_said_until_its_end_and_the_grace_and_then_nobody_is_let_in()
    {
        var (time, responder) = (new FakeTimeProvider(OcspForge.Now), new Responder(this) { IsAway = true });
        using var statuses = Statuses(time, responder, TimeSpan.FromMinutes(10));
        Assert.Equal(CertificateVerdict.Unverified, (await AskAsync(statuses)).Verdict);   // never asked: fails closed
        responder.IsAway = false;
        Assert.Equal(CertificateVerdict.Trusted, (await AskAsync(statuses)).Verdict);
        responder.IsAway = true;
        time.Advance(TimeSpan.FromMinutes(69));   // the answer ended 9 minutes ago
        Assert.Equal(CertificateVerdict.Trusted, (await AskAsync(statuses)).Verdict);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(CertificateVerdict.Unverified, (await AskAsync(statuses)).Verdict);
        responder.IsAway = false;
        responder.ContentType = "text/html";
        Assert.Equal(CertificateVerdict.Unverified, (await AskAsync(statuses)).Verdict);
    }

    [Fact]
    public async Task An_old_answer_that_is_played_again_is_none()
    {
        var (time, responder) = (new FakeTimeProvider(OcspForge.Now), new Responder(this) { ThisUpdate = OcspForge.Now.AddHours(-3), NextUpdate = OcspForge.Now.AddHours(-2) });
        using var statuses = Statuses(time, responder);
        Assert.Equal(CertificateVerdict.Unverified, (await AskAsync(statuses)).Verdict);
        (responder.ThisUpdate, responder.NextUpdate) = (OcspForge.Now.AddMinutes(-30), null);   // without an end it is good for the refresh time alone
        Assert.Equal(CertificateVerdict.Unverified, (await AskAsync(statuses)).Verdict);
    }

    private static OcspStatuses Statuses(TimeProvider time, HttpMessageHandler handler, TimeSpan grace = default) =>
        new(new() { Address = new("http://responder.invalid/"), Nonce = false, Grace = grace }, time, NullLogger.Instance, handler);

    private static async Task<(CertificateVerdict Verdict, DateTimeOffset Until)> AskAsync(OcspStatuses statuses) =>
        await statuses.AskAsync([ParsedCertificate.Parse(s_client.RawData), ParsedCertificate.Parse(s_root.RawData)]);

    private static OcspQuestion Question(byte[]? nonce) => new(ParsedCertificate.Parse(s_client.RawData), ParsedCertificate.Parse(s_root.RawData), nonce);

    private static OcspAnswer Read(OcspForge answer) => Read(answer, s_nonce);

    private static OcspAnswer Read(OcspForge answer, byte[]? nonce) => OcspAnswer.Read(answer.Make(), Question(nonce), OcspForge.Now);

    /// <summary>Answers without nonces; by its own clock, the test's.</summary>
    private sealed class Responder(OcspTests test) : HttpMessageHandler
    {
        internal int Asked { get; private set; }
        internal int Status { get; set; }
        internal bool IsAway { get; set; }
        internal string ContentType { get; set; } = "application/ocsp-response";
        internal DateTimeOffset ThisUpdate { get; set; } = OcspForge.Now;
        internal DateTimeOffset? NextUpdate { get; set; } = OcspForge.Now.AddHours(1);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            Assert.Equal("application/ocsp-request", request.Content!.Headers.ContentType!.MediaType);
            if (IsAway)
                throw new HttpRequestException("away");
            var answer = test._good with { Nonce = null, Status = Status, ThisUpdate = ThisUpdate, NextUpdate = NextUpdate };
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(answer.Make()) { Headers = { ContentType = new MediaTypeHeaderValue(ContentType) } } });
        }
    }
}
