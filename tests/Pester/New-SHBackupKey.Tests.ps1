Describe 'New-SHBackupKey' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'makes a key that opens what is encrypted to it' {
        $key = New-SHBackupKey ./restore.key
        $key.Recipient | Should -Match '^age1[02-9ac-hj-np-z]{58}$'
        $backup = New-SHBackup ./app.db -Recipient $key.Recipient
        $backup.IsEncrypted | Should -BeTrue
        ($backup | Test-SHBackup -IdentityFile ./restore.key).VerificationLevel | Should -Be 'Full'
    }

    It 'stands for its public key where one is wanted' {
        (New-SHBackup ./app.db -Recipient (New-SHBackupKey ./restore.key)).Recipients | Should -HaveCount 1
    }

    It 'overwrites nothing' {
        New-SHBackupKey ./restore.key | Out-Null
        { New-SHBackupKey ./restore.key -ErrorAction Stop } | Should -Throw -ErrorId 'IdentityFileExists,*'
    }

    It 'writes nothing with -WhatIf' {
        New-SHBackupKey ./restore.key -WhatIf | Should -BeNullOrEmpty
        './restore.key' | Should -Not -Exist
    }
}
