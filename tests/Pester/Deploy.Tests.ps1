BeforeDiscovery { $hasShell = -not $IsWindows }

Describe 'deploy.ps1' -Skip:(-not $hasShell) {
    BeforeAll {
        # With a stand-in for kubectl, which writes down what it is given.
        $root = Join-Path $PSScriptRoot '..' '..'
        $cluster = (New-Item -ItemType Directory 'TestDrive:/cluster').FullName
        $bin = (New-Item -ItemType Directory 'TestDrive:/bin').FullName
        Copy-Item (Join-Path $root 'tests' 'SignalHarvester.Backup.Cloud.Tests' 'Kubernetes' 'kubectl.sh') (Join-Path $bin 'kubectl')
        chmod 0755 (Join-Path $bin 'kubectl')
        Copy-Item (Join-Path $root 'deploy' 'kubernetes' 'manifests' 's3.yaml') (Join-Path $cluster 'manifest.yaml')
        $deploy = Join-Path $root 'deploy' 'kubernetes' 'deploy.ps1'
        $before = $env:PATH
        $env:PATH = "$bin$([IO.Path]::PathSeparator)$before"
        $env:FAKE_CLUSTER = $cluster
        $env:FAKE_OBJECTS = 'cronjob.batch/shbackup-backup'
        $env:FAKE_JOB = 'Complete=True '
        Set-Content 'TestDrive:/keys.env' 'AWS_SECRET_ACCESS_KEY=s3cr3t/of+a=test'
    }

    AfterAll {
        $env:PATH = $before
        Remove-Item Env:FAKE_CLUSTER, Env:FAKE_OBJECTS, Env:FAKE_JOB
    }

    BeforeEach { Remove-Item (Join-Path $cluster '*.args'), (Join-Path $cluster '*.stdin') }

    It 'changes nothing with -WhatIf' {
        & $deploy apps -Overlay s3 -SecretFile TestDrive:/keys.env -WhatIf | Should -BeNullOrEmpty
        Get-ChildItem $cluster -Filter *.args | ForEach-Object { (Get-Content $_)[2] } | Should -Be 'kustomize'
    }

    It 'deploys, sets the secret on standard input alone, and returns what it did' {
        $deployed = & $deploy apps -Overlay s3 -SecretFile TestDrive:/keys.env -Verbose 4>&1 | Tee-Object -Variable said | Select-Object -Last 1
        $deployed.Namespace | Should -Be 'apps'
        $deployed.Secret | Should -Be 'shbackup-cloud'
        $deployed.FirstRun | Should -BeLike 'shbackup-first-*'
        "$said" + (Get-Content (Join-Path $cluster '*.args')) | Should -Not -BeLike '*s3cr3t*'
        $secret = Get-Content (Join-Path $cluster '*.stdin') | Where-Object { $_ -like '*"Secret"*' } | ConvertFrom-Json
        [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($secret.data.AWS_SECRET_ACCESS_KEY)) | Should -Be 's3cr3t/of+a=test'
    }

    It 'ends in the error of kubectl, and puts back what was there' {
        $env:FAKE_JOB = 'Failed=True '
        { & $deploy apps -Overlay s3 -WarningAction SilentlyContinue } | Should -Throw "*failed.*"
        Get-Content (Join-Path $cluster '*.args') | Should -Contain 'delete'
    }

    It 'has help' {
        (Get-Help $deploy).Synopsis | Should -BeLike 'Deploys the backups to a cluster*'
        (Get-Help $deploy -Parameter Overlay).description.Text | Should -Not -BeNullOrEmpty
    }
}
