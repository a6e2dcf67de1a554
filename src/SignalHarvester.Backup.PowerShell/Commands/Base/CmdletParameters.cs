using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The given parameters, and their consequences.</summary>
internal static class CmdletParameters
{
    extension(PSCmdlet cmdlet)
    {
        /// <summary>Whether -WhatIf was given, or is preferred in the session.</summary>
        public bool IsWhatIf => cmdlet.MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given)
            ? ((SwitchParameter)given).IsPresent
            : cmdlet.SessionState.PSVariable.GetValue("WhatIfPreference") is { } preference && LanguagePrimitives.IsTrue(preference);

        /// <summary>Whether the caller gave a parameter, on the command line or through the pipeline.</summary>
        public bool IsBound(string parameter) => cmdlet.MyInvocation.BoundParameters.ContainsKey(parameter);

        /// <summary>
        /// Whether the caller gave texts for a parameter on the command line. It is asked before the first input: pipeline input, or what
        /// a script block makes of it, is bound to the parameter later.
        /// </summary>
        public bool IsGivenAsText(string parameter) => cmdlet.MyInvocation.BoundParameters.TryGetValue(parameter, out var given) && given is string or string[];

        /// <summary>Asks as the cmdlet's ConfirmImpact says. -Force means yes, unless -Confirm or -WhatIf was given as well.</summary>
        public bool ShouldProcessUnlessForced(bool force, string target, string action) => cmdlet.IsForced(force) || cmdlet.ShouldProcess(target, action);

        /// <summary>Whether -Force answers questions: not if -Confirm or -WhatIf was given as well.</summary>
        public bool IsForced(bool force) => force && !cmdlet.IsSwitchedOn("Confirm") && !cmdlet.IsWhatIf;

        /// <summary>Whether questions of ConfirmImpact High are asked: not after -Confirm:$false, or if no confirmation is preferred in the session.</summary>
        public bool IsHighImpactConfirmed => cmdlet.MyInvocation.BoundParameters.TryGetValue("Confirm", out var given)
            ? ((SwitchParameter)given).IsPresent
            : !LanguagePrimitives.TryConvertTo(cmdlet.SessionState.PSVariable.GetValue("ConfirmPreference"), out ConfirmImpact preference)
                || preference != ConfirmImpact.None;

        private bool IsSwitchedOn(string name) =>
            cmdlet.MyInvocation.BoundParameters.TryGetValue(name, out var given) && ((SwitchParameter)given).IsPresent;
    }

    /// <summary>Whether a pattern matches a text, with wildcards or literally.</summary>
    public static bool Matches(string pattern, string text) =>
        WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(text) || string.Equals(pattern, text, StringComparison.OrdinalIgnoreCase);
}
