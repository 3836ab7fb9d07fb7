using Bulwark.Server;
using Microsoft.AspNetCore.Http;

namespace Bulwark.Tests.Server;

public class ForwardedIdentityTests
{
    [Theory]
    [InlineData("X-Client-Cert", true)]
    [InlineData("x-client-certificate", true)]
    [InlineData("X-CLIENT-CERT-VERIFIED", true)]
    [InlineData("X-Forwarded-For", true)]
    [InlineData("X-Forwarded-Client-Cert", true)]
    [InlineData("Forwarded", true)]
    [InlineData("X-SSL-Client-S-DN", true)]
    [InlineData("Client-Cert-Chain", true)]
    [InlineData("X-Request-Id", false)]
    [InlineData("Authorization", false)]
    public void A_header_that_vouches_for_a_client_is_recognised_in_any_case(string name, bool claimed) =>
        Assert.Equal(claimed, ForwardedIdentity.IsClaimed(new HeaderDictionary { [name] = "value" }));
}
