#!/usr/bin/env pwsh
#Requires -Version 7.6

<#
.SYNOPSIS
Deploys the backups to a cluster, tests them by a first run, and rolls everything back if that fails.

.DESCRIPTION
1. Renders the overlay with `kubectl kustomize`.
2. Creates or rotates the Secret shbackup-cloud, if its values are given. They go to kubectl only on standard input:
   not onto the screen, into a file, or into the arguments of a process, which everybody on the machine can read.
3. Applies the overlay.
4. If it has the CronJob shbackup-backup, starts a first Job from it and waits until it has succeeded; if it has a
   Deployment or StatefulSet, waits for its rollout.
5. If any of that fails: restores the previous state, and removes new objects. The volume for the backups
   always stays.

Works in pwsh, and in shbackup: shbackup -File deploy.ps1 signal-harvester -Overlay s3

.PARAMETER Namespace
The namespace of the application, whose volume has the database. It must exist.

.PARAMETER Overlay
The name of a folder in overlays, or the path of a kustomization of your own.

.PARAMETER Context
kubectl's context. Without it, the current one.

.PARAMETER Image
The image to run, instead of the one that the overlay names.

.PARAMETER SecretFromEnvironment
Takes the values of the Secret from the variables with the object stores' credentials: those of AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY and
AZURE_STORAGE_SAS_TOKEN that are set.

.PARAMETER SecretFile
Takes the values of the Secret from a file of lines NAME=value. Empty lines and lines that begin with # do not count.

.PARAMETER TimeoutSeconds
The time to wait for the first run, or for the rollout.

.EXAMPLE
./deploy.ps1 signal-harvester -WhatIf
Shows what would be done, and changes nothing.

.EXAMPLE
./deploy.ps1 signal-harvester -Overlay s3 -SecretFile ./keys.env
Deploys with copies in a bucket. Run it again with another file to rotate the keys, and to test the new ones.
#>
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'NoSecret')]
param(
    [Parameter(Mandatory, Position = 0)]
    [ValidateNotNullOrEmpty()]
    [string] $Namespace,

    [ValidateNotNullOrEmpty()]
    [string] $Overlay = 'same-node',

    [string] $Context,

    [string] $Image,

    [Parameter(Mandatory, ParameterSetName = 'Environment')]
    [switch] $SecretFromEnvironment,

    [Parameter(Mandatory, ParameterSetName = 'File')]
    [string] $SecretFile,

    [ValidateRange(1, 86400)]
    [int] $TimeoutSeconds = 900
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$secretName = 'shbackup-cloud'
$secretVariables = 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AZURE_STORAGE_CONNECTION_STRING',
    'AZURE_STORAGE_ACCOUNT', 'AZURE_STORAGE_KEY', 'AZURE_STORAGE_SAS_TOKEN'
$backupCronJob = 'cronjob.batch/shbackup-backup'
$neverRemoved = 'PersistentVolumeClaim'
$cluster = @('--namespace', $Namespace)
if ($Context) { $cluster += '--context', $Context }

function Invoke-Kubectl([string[]] $Arguments, [string] $InputText) {
    $start = [Diagnostics.ProcessStartInfo]::new('kubectl')
    foreach ($argument in $cluster + $Arguments) { $start.ArgumentList.Add($argument) }
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.StandardInputEncoding = [Text.UTF8Encoding]::new($false)
    $process = [Diagnostics.Process]::Start($start)
    try {
        $process.StandardInput.Write($InputText)
        $process.StandardInput.Close()
        $output = $process.StandardOutput.ReadToEnd()
        $process.WaitForExit()
        if ($process.ExitCode -ne 0) {
            throw "'kubectl $Arguments' ended with $($process.ExitCode). Its output is above."
        }

        $output.TrimEnd()
    }
    finally {
        $process.Dispose()
    }
}

function Get-SecretValue {
    $values = [Collections.Generic.SortedDictionary[string, string]]::new([StringComparer]::Ordinal)
    if ($SecretFromEnvironment) {
        foreach ($name in $secretVariables) {
            if ($value = [Environment]::GetEnvironmentVariable($name)) { $values[$name] = $value }
        }

        if ($values.Count -eq 0) { throw "None of these variables is set: $($secretVariables -join ', ')." }
    }

    if ($SecretFile) {
        $path = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($SecretFile)
        $number = 0
        foreach ($line in [IO.File]::ReadAllLines($path)) {
            $number++
            if ($line.Trim() -eq '' -or $line.TrimStart().StartsWith('#')) { continue }
            $at = $line.IndexOf('=')
            # The line itself is not shown: it may be half a key.
            if ($at -lt 1 -or $line.Substring(0, $at).Trim() -notmatch '^[A-Za-z_][A-Za-z0-9_]*$') {
                throw "Line $number of '$SecretFile' is not of the form NAME=value."
            }

            $values[$line.Substring(0, $at).Trim()] = $line.Substring($at + 1).Trim()
        }

        if ($values.Count -eq 0) { throw "There is no line NAME=value in '$SecretFile'." }
    }

    , $values
}

function ConvertTo-Secret($Values) {
    $data = [Text.Json.Nodes.JsonObject]::new()
    foreach ($name in $Values.Keys) {
        $data.Add($name, [Text.Json.Nodes.JsonNode]::op_Implicit([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Values[$name]))))
    }

    $secret = [Text.Json.Nodes.JsonNode]::Parse(
        '{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"' + $secretName + '","labels":{"app.kubernetes.io/name":"shbackup"}}}')
    $secret.AsObject().Add('data', $data)
    $secret.ToJsonString()
}

# What the cluster says of objects, made into what `kubectl replace` takes: without what only the cluster may write.
function ConvertTo-Former([string] $Json) {
    $items = [Text.Json.Nodes.JsonArray]::new()
    if ($Json) {
        $found = [Text.Json.Nodes.JsonNode]::Parse($Json).AsObject()
        # @(): an object alone would be taken apart into its fields.
        $objects = @(if ("$($found['kind'])" -eq 'List') { $found['items'].AsArray() } else { , $found })
        foreach ($object in $objects) {
            if ("$($object['kind'])" -eq $neverRemoved) { continue }
            $copy = $object.DeepClone().AsObject()
            [void] $copy.Remove('status')
            foreach ($name in 'uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields') {
                [void] $copy['metadata'].AsObject().Remove($name)
            }

            $items.Add($copy)
        }
    }

    if ($items.Count -eq 0) { return '' }
    $list = [Text.Json.Nodes.JsonNode]::Parse('{"apiVersion":"v1","kind":"List"}').AsObject()
    $list.Add('items', $items)
    $list.ToJsonString()
}

function Wait-FirstJob {
    $job = "shbackup-first-$([DateTime]::UtcNow.ToString('yyyyMMddHHmmss', [cultureinfo]::InvariantCulture))"
    [void] (Invoke-Kubectl 'create', 'job', $job, "--from=$($backupCronJob -replace '\.batch')")
    $waiting = [Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $conditions = Invoke-Kubectl 'get', 'job', $job, '-o', 'jsonpath={range .status.conditions[*]}{.type}={.status} {end}'
        if ($conditions -match '\bComplete=True') { return $job }
        $isLate = $waiting.Elapsed.TotalSeconds -ge $TimeoutSeconds
        if ($isLate -or $conditions -match '\bFailed=True') {
            # The rollback may take the pod away, and what it said with it.
            $said = try { Invoke-Kubectl 'logs', "job/$job", '--all-containers', '--tail=50' } catch { "$_" }
            $PSCmdlet.WriteWarning("The first run said:`n$said")
            if ($isLate) {
                [void] (Invoke-Kubectl 'delete', 'job', $job, '--ignore-not-found')
                throw "The first run, job '$job', did not end within $TimeoutSeconds s. Check that the application's pod is running, because this one runs on the same node."
            }

            throw "The first run, job '$job', failed."
        }

        [Threading.Thread]::Sleep(1000)
    }
}

function Undo([string[]] $Created, [string[]] $Former) {
    foreach ($text in $Former) {
        if ($text) { [void] (Invoke-Kubectl 'replace', '-f', '-' -InputText $text) }
    }

    if ($Created) { [void] (Invoke-Kubectl (@('delete', '--ignore-not-found') + $Created)) }
}

$folder = [IO.Path]::Combine($PSScriptRoot, 'overlays', $Overlay)
if (-not [IO.Directory]::Exists($folder)) { $folder = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Overlay) }
$manifest = Invoke-Kubectl 'kustomize', $folder
if ($Image) {
    $placeholder = '(?m)(?<=^\s*(- )?image: )registry\.example\.org/shbackup:\S+'
    if ($manifest -notmatch $placeholder) { throw "'$Overlay' has no image registry.example.org/shbackup for -Image to replace. Name the image there, and omit -Image." }
    $manifest = $manifest -replace $placeholder, $Image.Replace('$', '$$')
}

$values = Get-SecretValue
$what = "Apply '$Overlay'"
if ($values.Count -gt 0) { $what += ", set the Secret '$secretName' ($($values.Keys -join ', '))" }
if (-not $PSCmdlet.ShouldProcess("namespace '$Namespace'", "$what, and wait for a first run")) { return }

$created = @()
$former = @()
try {
    $before = (Invoke-Kubectl 'get', '-f', '-', '--ignore-not-found', '-o', 'name' -InputText $manifest) -split "`n"
    $former += ConvertTo-Former (Invoke-Kubectl 'get', '-f', '-', '--ignore-not-found', '-o', 'json' -InputText $manifest)
    if ($values.Count -gt 0) {
        $secret = ConvertTo-Former (Invoke-Kubectl 'get', 'secret', $secretName, '--ignore-not-found', '-o', 'json')
        # Noted first: what failed may have been done all the same.
        if ($secret) { $former += $secret } else { $created += "secret/$secretName" }
        # Applied by the server, so that no annotation keeps a second copy of the values.
        [void] (Invoke-Kubectl 'apply', '--server-side', '--force-conflicts', '--field-manager=shbackup-deploy', '-f', '-' -InputText (ConvertTo-Secret $values))
    }

    # What a failed apply has made is to be removed, too.
    $wanted = (Invoke-Kubectl 'apply', '--dry-run=server', '-f', '-', '-o', 'name' -InputText $manifest) -split "`n"
    $created += @($wanted.Where({ $_ -and $_ -notin $before -and -not $_.StartsWith("$neverRemoved/", 'OrdinalIgnoreCase') }))
    [void] (Invoke-Kubectl 'apply', '-f', '-' -InputText $manifest)

    foreach ($workload in $wanted.Where({ $_ -match '^(deployment|statefulset)\.apps/' })) {
        [void] (Invoke-Kubectl 'rollout', 'status', $workload, "--timeout=${TimeoutSeconds}s")
    }

    $job = if ($backupCronJob -in $wanted) { Wait-FirstJob }
}
catch {
    $fault = $_
    $PSCmdlet.WriteWarning("$fault The previous state is restored.")
    try {
        Undo $created $former
    }
    catch {
        $PSCmdlet.WriteWarning("The previous state could not be fully restored: $_")
    }

    throw $fault
}

[pscustomobject]@{
    Namespace = $Namespace
    Overlay   = $Overlay
    Objects   = $wanted.Count
    Created   = $created
    Secret    = $values.Count -gt 0 ? $secretName : $null
    FirstRun  = $job
}
