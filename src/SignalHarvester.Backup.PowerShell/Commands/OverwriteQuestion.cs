using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// The question before something is overwritten. Enter means No, while PowerShell takes it for Yes in its own questions. Without a
/// terminal it is an error, as those are.
/// </summary>
/// <param name="cmdlet">The cmdlet that asks.</param>
internal sealed class OverwriteQuestion(PSCmdlet cmdlet)
{
    private static readonly ChoiceDescription Yes = new("&Yes", "Restore it.");
    private static readonly ChoiceDescription YesToAll = new("Yes to &All", "Restore it, and all others of this command.");
    private static readonly ChoiceDescription No = new("&No", "Leave this one as it is, and go on with the next one.");
    private static readonly ChoiceDescription NoToAll = new("No to A&ll", "Leave it and all others as they are.");

    private bool? answerToAll;

    /// <summary>Whether the user agrees. -WhatIf shows the action instead; -Force and -Confirm:$false agree in advance.</summary>
    /// <param name="force">Whether -Force was given.</param>
    /// <param name="target">What is overwritten.</param>
    /// <param name="action">The action, which the question shows.</param>
    public bool AllowsUnlessForced(bool force, string target, string action) => cmdlet.IsForced(force)
        || (cmdlet.IsWhatIf || !cmdlet.IsHighImpactConfirmed ? cmdlet.ShouldProcess(target, action) : answerToAll ?? AskForAll($"{action}, into '{target}'?"));

    /// <summary>Asks about one restore, whatever was answered or given before.</summary>
    public bool Ask(string question) => Choose(question, [Yes, No], No) == Yes;

    private bool AskForAll(string question)
    {
        var choice = Choose(question, [Yes, YesToAll, No, NoToAll], No);
        var isYes = choice == Yes || choice == YesToAll;
        answerToAll = choice == YesToAll || choice == NoToAll ? isYes : null;
        return isYes;
    }

    private ChoiceDescription Choose(string question, Collection<ChoiceDescription> choices, ChoiceDescription onEnter) =>
        choices[cmdlet.Host.UI.PromptForChoice("Restore a backup", question, choices, choices.IndexOf(onEnter))];
}
