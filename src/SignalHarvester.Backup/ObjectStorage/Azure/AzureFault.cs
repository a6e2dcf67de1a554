using System.Globalization;
using System.Security.Authentication;
using System.Xml;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs.Models;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>
/// Translates errors of Azure, the network and the sign-in into ours. Of the service's answer it quotes only status, code and
/// request id, and keeps no inner exception: the answer's text can repeat what was signed.
/// </summary>
internal sealed class AzureFault(StoreLocation location)
{
    /// <summary>By how much Azure allows a clock to be wrong.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(15);

    private readonly StoreFault faults = new(location);

    /// <summary>Whether an exception comes from the service, the network or the sign-in.</summary>
    public static bool Covers(Exception exception) =>
        exception is RequestFailedException or AggregateException or HttpRequestException or IOException or AuthenticationFailedException or XmlException;

    /// <summary>Whether the other side could not be trusted.</summary>
    public static bool IsUntrusted(Exception? exception) => Untrusted(exception) is not null;

    /// <summary>Makes the error.</summary>
    /// <param name="exception">A covered exception.</param>
    /// <param name="action">The action, as in "reading 'a'".</param>
    /// <param name="name">The object concerned; null for the container.</param>
    public BackupException From(Exception exception, string action, string? name) => exception switch
    {
        AggregateException { InnerExceptions: [.., var last] } => From(last, action, name),
        CredentialUnavailableException => faults.CredentialsMissing(AzureAccount.HowTo, exception),
        AuthenticationFailedException => faults.AccessDenied("signing in", exception.Message.Split('\n')[0].Trim(), exception),
        XmlException => faults.Refused(action, "the server there is not Azure Blob Storage", exception),
        RequestFailedException { Status: > 0 } answer => FromAnswer(answer, action, name),
        _ => FromNetwork(exception is RequestFailedException { InnerException: { } cause } ? cause : exception, action),
    };

    private static AuthenticationException? Untrusted(Exception? exception)
    {
        while (exception is not (null or AuthenticationException))
        {
            exception = exception.InnerException;
        }

        return (AuthenticationException?)exception;
    }

    private static string Describe(RequestFailedException answer)
    {
        var code = answer.ErrorCode is { Length: > 0 } text ? " " + text : string.Empty;
        var header = answer.Data["HeaderName"] is string named ? ", header " + named : string.Empty;
        var request = answer.GetRawResponse()?.Headers.RequestId is { } id ? ", request " + id : string.Empty;
        return string.Create(CultureInfo.InvariantCulture, $"HTTP {answer.Status}{code}{header}{request}");
    }

    private BackupException FromNetwork(Exception exception, string action) =>
        Untrusted(exception) is { } untrusted
            ? faults.TlsFailed(untrusted.Message, exception)
            : faults.Unavailable(action, exception.Message, exception);

    private BackupException FromAnswer(RequestFailedException answer, string action, string? name)
    {
        var detail = Describe(answer);
        var code = answer.ErrorCode ?? string.Empty;
        if (code == BlobErrorCode.AuthenticationFailed && ClockDifference(answer) is { } difference)
        {
            return faults.ClockSkew(difference, null);
        }

        if (code == BlobErrorCode.ContainerNotFound || code == BlobErrorCode.ContainerBeingDeleted)
        {
            return faults.ContainerNotFound(null);
        }

        if (name is not null)
        {
            if (code == BlobErrorCode.BlobNotFound || code == BlobErrorCode.ResourceNotFound)
            {
                return faults.ObjectNotFound(name, null);
            }

            // The last one is the answer to a SAS token that may create objects and not overwrite them.
            if (code == BlobErrorCode.BlobAlreadyExists || code == BlobErrorCode.ConditionNotMet || code == BlobErrorCode.UnauthorizedBlobOverwrite)
            {
                return faults.ObjectExists(name, null);
            }

            if (code == BlobErrorCode.Md5Mismatch)
            {
                return faults.ChecksumMismatch(name, $"the received data does not match the MD5 that was sent with it ({detail})");
            }

            if (code == BlobErrorCode.InvalidBlockList || code == BlobErrorCode.InvalidBlobOrBlock)
            {
                return faults.UploadLost(name, null);
            }
        }

        return code switch
        {
            _ when code == BlobErrorCode.BlobImmutableDueToPolicy => faults.Refused(action, $"an immutability policy protects it ({detail})", null),
            _ when code == BlobErrorCode.BlobArchived || code == BlobErrorCode.BlobBeingRehydrated =>
                faults.Refused(action, $"it is in the archive tier, and must first be rehydrated to an online tier ({detail})", null),
            _ => answer.Status switch
            {
                401 or 403 => faults.AccessDenied(action, detail, null),
                408 or 429 or 500 or (>= 502 and <= 599) => faults.Unavailable(action, detail, null),
                _ => faults.Refused(action, detail, null),
            },
        };
    }

    // The answer's own date shows it: the code is the same as for a wrong key, and a HEAD request has no text.
    private static string? ClockDifference(RequestFailedException answer)
    {
        var here = DateTimeOffset.UtcNow;
        return answer.GetRawResponse()?.Headers.Date is { } there && (here - there).Duration() > ClockTolerance
            ? string.Create(CultureInfo.InvariantCulture, $"it is {there:u} there and {here:u} here")
            : null;
    }
}
